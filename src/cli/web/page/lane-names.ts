import { find, make, say } from './elements.js';
import { visible } from './payload.js';
import { hueOf, sizes } from './scene.js';
import type { LaneView } from './store.js';

/** The names beside the lanes, as selectable text that a screen reader finds. */
export class LaneNames {
  readonly #list = find('names', HTMLOListElement);
  #shown = -1;
  #of: readonly LaneView[] | undefined;

  show(lanes: readonly LaneView[], chosen: number | undefined): void {
    if (this.#of !== lanes || this.#shown !== lanes.length) {
      this.#of = lanes;
      this.#shown = lanes.length;
      this.#list.replaceChildren(...lanes.map(nameOf));
      this.#list.style.height = `${sizes.axis + lanes.length * sizes.row}px`;
    }
    [...this.#list.children].forEach((item, index) =>
      item.classList.toggle('chosen', index === chosen),
    );
  }
}

function nameOf(lane: LaneView, index: number): HTMLLIElement {
  const { name, kind, direction, handle, under } = lane.facts;
  const item = make('li', under === undefined ? '' : 'under');
  item.style.top = `${sizes.axis + index * sizes.row}px`;
  item.dataset.hue = String(hueOf(lane));
  const about = make('span', 'about', handle === undefined ? kind : `${kind} ${handle}`);
  const arrow = make(
    'span',
    'arrow',
    direction === undefined ? (under === undefined ? '' : '⇄') : direction === 'out' ? '→' : '←',
  );
  arrow.title =
    direction === undefined
      ? 'both ways'
      : direction === 'out'
        ? 'from the initiator to the target'
        : 'from the target to the initiator';
  const title = make('span', 'name');
  say(title, visible(name));
  title.title = visible(name);
  item.append(title, arrow, about);
  return item;
}
