import { countInWords } from '../../../diagram/layout/layout-words.js';
import { ConnectionList } from './connection-list.js';
import { Details } from './details.js';
import { find, say } from './elements.js';
import { listen } from './feed.js';
import { press } from './keys.js';
import { visible } from './payload.js';
import type { Selection } from './selection.js';
import { Stage } from './stage.js';
import { type ConnectionView, Store } from './store.js';

/** Milliseconds between updates of the rates, which change even without events. */
const RATES = 500;

/** The page: messages go into the store, and the next animation frame shows the changes. */
class Page {
  readonly #store = new Store();
  readonly #details = new Details();
  readonly #stage = new Stage((selection) => {
    this.#show(selection);
  });
  readonly #list = new ConnectionList((id) => {
    this.#isChosenByHand = true;
    this.#choose(id);
  });
  /** The connection in the URL's fragment survives a reload. */
  #chosen = numberIn(location.hash);
  #isChosenByHand = this.#chosen !== undefined;
  #shown: ConnectionView | undefined;
  #selection: Selection | undefined;
  #isListStale = true;

  start(): void {
    listen(
      (messages) => {
        for (const message of messages) this.#store.take(message, Date.now());
        this.#isListStale = true;
        this.#stage.refresh();
      },
      (words, isGood) => {
        const link = find('link', HTMLElement);
        say(link, words);
        link.classList.toggle('bad', !isGood);
      },
    );
    setInterval(() => (this.#isListStale = true), RATES);
    this.#takeInput();
    const frame = (): void => {
      this.#frame();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  #frame(): void {
    const localTime = Date.now();
    if (this.#isListStale) {
      this.#isListStale = false;
      this.#chooseNewest();
      this.#list.show(this.#store, this.#chosen, localTime);
      this.#showHeading();
    }
    if (this.#shown !== undefined) this.#stage.paint(this.#store.present(this.#shown, localTime));
  }

  /** Shows the newest connection until the user chooses one. */
  #chooseNewest(): void {
    const newest = [...this.#store.connections.keys()].at(-1);
    if (
      this.#chosen !== undefined &&
      !this.#store.connections.has(this.#chosen) &&
      this.#store.connections.size > 0
    )
      this.#isChosenByHand = false;
    if (!this.#isChosenByHand && newest !== undefined && newest !== this.#chosen)
      this.#choose(newest);
    // The store may have been reset.
    const view = this.#chosen === undefined ? undefined : this.#store.connections.get(this.#chosen);
    if (view === this.#shown) return;
    this.#shown = view;
    find('conversation', HTMLElement).hidden = view === undefined;
    if (view !== undefined) this.#stage.open(view, this.#store.present(view, Date.now()));
  }

  #choose(id: number): void {
    this.#chosen = id;
    if (this.#isChosenByHand) history.replaceState(null, '', `#${id}`);
    this.#isListStale = true;
  }

  #showHeading(): void {
    if (this.#shown === undefined) return;
    const { facts, closed, totals, lanes } = this.#shown;
    const services = totals.services.map(visible).join(', ');
    const title = `Connection ${facts.id}${services === '' ? '' : `: ${services}`}`;
    say(find('conversation-title', HTMLElement), title);
    const kept = lanes.reduce((sum, { events }) => sum + events.length, 0);
    const words = [
      `${visible(facts.peer)} → ${visible(facts.target)}`,
      `since ${new Date(facts.at).toLocaleTimeString()}`,
      countInWords(totals.events, 'event'),
      kept < totals.events ? `${countInWords(kept, 'event')} of them kept` : '',
      this.#store.hasMissed ? 'some were missed: this page was too slow' : '',
      closed === undefined ? '' : visible(closed.reason),
    ];
    say(find('conversation-about', HTMLElement), words.filter((one) => one !== '').join(' · '));
  }

  #show(selection: Selection | undefined): void {
    this.#selection = selection;
    const lane = selection === undefined ? undefined : this.#shown?.lanes[selection.lane];
    if (selection === undefined || lane === undefined || this.#shown === undefined)
      this.#details.showNone();
    else this.#details.show(this.#shown, lane, selection.event);
  }

  /** Saves the visible part as a picture, which the server draws. */
  #save(): void {
    if (this.#shown === undefined) return;
    const { from, span } = this.#stage.view;
    const link = document.createElement('a');
    const { id } = this.#shown.facts;
    link.href = `svg?connection=${id}&from=${Math.floor(from)}&to=${Math.ceil(from + span)}`;
    link.download = `connection-${id}.svg`;
    link.click();
  }

  #takeInput(): void {
    const stage = this.#stage;
    const save = (): void => {
      this.#save();
    };
    const actions: Readonly<Record<string, () => void>> = {
      follow: () => stage.toggle(),
      'zoom-in': () => stage.zoom(0.5),
      'zoom-out': () => stage.zoom(2),
      fit: () => stage.fit(),
      save,
    };
    for (const [id, action] of Object.entries(actions))
      find(id, HTMLButtonElement).addEventListener('click', action);
    const targets = {
      stage,
      save,
      lanes: () => this.#shown?.lanes ?? [],
      selection: () => this.#selection,
    };
    document.addEventListener('keydown', (event) => {
      // In the list and in a payload, the arrow keys have their usual meaning.
      if (event.target instanceof Element && event.target.closest('nav, #payload') !== null) return;
      if (press(event, targets)) event.preventDefault();
    });
  }
}

function numberIn(hash: string): number | undefined {
  return /^#\d{1,15}$/.test(hash) ? Number(hash.slice(1)) : undefined;
}

new Page().start();
