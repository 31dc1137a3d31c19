import { countInWords, numberInWords, timeInWords } from '../../../diagram/layout/layout-words.js';
import { find, make, say } from './elements.js';
import type { EventFacts } from '../page-messages.js';
import { directionOf } from './paint-events.js';
import { payloadBytes, payloadHex, payloadText, visible } from './payload.js';
import type { ConnectionView, LaneView } from './store.js';

/** The details of the chosen event. */
export class Details {
  readonly #title = find('event-title', HTMLElement);
  readonly #hint = find('event-hint', HTMLElement);
  readonly #facts = find('event-facts', HTMLElement);
  readonly #payload = find('payload', HTMLElement);
  readonly #text = find('event-text', HTMLElement);
  readonly #hex = find('event-hex', HTMLElement);

  showNone(): void {
    say(this.#title, 'No event chosen');
    say(this.#hint, 'Click on something that happened, or walk there with the arrow keys.');
    this.#facts.replaceChildren();
    this.#payload.hidden = true;
  }

  show(view: ConnectionView, lane: LaneView, event: EventFacts): void {
    say(this.#title, visible(event.label));
    const preview = event.preview === undefined ? undefined : payloadBytes(event.preview);
    say(this.#hint, hintOf(event, preview));
    this.#facts.replaceChildren(...factsOf(view, lane, event).map(pair));
    this.#payload.hidden = preview === undefined;
    say(this.#text, preview === undefined ? '' : payloadText(preview));
    say(this.#hex, preview === undefined ? '' : payloadHex(preview));
  }
}

function pair([name, value]: readonly [string, string]): HTMLElement {
  const both = make('div', '');
  both.append(make('dt', '', name), make('dd', '', value));
  return both;
}

function hintOf({ bytes = 0, count = 1 }: EventFacts, preview: Uint8Array | undefined): string {
  if (bytes === 0) return '';
  if (preview === undefined) return 'Of its payload nothing was kept.';
  if (preview.length >= bytes) return 'All of its payload:';
  const whole = count > 1 ? `the first of ${numberInWords(count)} payloads` : numberInWords(bytes);
  return `The first ${countInWords(preview.length, 'byte')} of ${whole}:`;
}

function factsOf(
  { facts }: ConnectionView,
  lane: LaneView,
  event: EventFacts,
): readonly (readonly [string, string])[] {
  const way = event.direction ?? lane.facts.direction;
  const time = new Date(facts.at + event.at);
  const handle = lane.facts.handle === undefined ? '' : `, handle ${lane.facts.handle}`;
  const all: readonly (readonly [string, string | undefined])[] = [
    ['what', event.type === undefined ? event.kind : `${event.kind} ${event.type}`],
    ['lane', `${visible(lane.facts.name)}${handle}`],
    [
      'way',
      way === undefined
        ? undefined
        : directionOf(lane, event) === 'out'
          ? '→ from the initiator to the target'
          : '← from the target to the initiator',
    ],
    ['time', `${timeInWords(event.at)} after the beginning, ${time.toLocaleTimeString()}`],
    ['until', event.until === undefined ? undefined : timeInWords(event.until)],
    ['size', event.bytes === undefined ? undefined : countInWords(event.bytes, 'byte')],
    ['count', event.count === undefined ? undefined : numberInWords(event.count)],
    ['code', event.code],
  ];
  return all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}
