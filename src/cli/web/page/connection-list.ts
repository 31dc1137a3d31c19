import { countInWords, sizeInWords } from '../../../diagram/layout/layout-words.js';
import { find, make, say } from './elements.js';
import { visible } from './payload.js';
import type { ConnectionView, Store } from './store.js';

interface Row {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly title: HTMLElement;
  readonly state: HTMLElement;
  readonly peers: HTMLElement;
  readonly rates: HTMLElement;
  readonly totals: HTMLElement;
}

/** The list of connections, the newest on top. */
export class ConnectionList {
  readonly #list = find('connections', HTMLUListElement);
  readonly #nobody = find('nobody', HTMLElement);
  readonly #count = find('connection-count', HTMLElement);
  readonly #rows = new Map<number, Row>();
  readonly #choose: (id: number) => void;

  constructor(choose: (id: number) => void) {
    this.#choose = choose;
  }

  show({ connections, isOver }: Store, chosen: number | undefined, localTime: number): void {
    for (const [id, row] of this.#rows) {
      if (connections.has(id)) continue;
      row.item.remove();
      this.#rows.delete(id);
    }
    for (const [id, view] of connections)
      fill(this.#rows.get(id) ?? this.#add(id), view, {
        isChosen: id === chosen,
        isOver,
        localTime,
      });
    this.#nobody.hidden = connections.size > 0;
    say(this.#count, connections.size === 0 ? '' : String(connections.size));
  }

  #add(id: number): Row {
    const item = make('li', '');
    const button = make('button', 'connection');
    button.type = 'button';
    const [title, state, peers, rates, totals] = [
      make('strong', 'title'),
      make('span', 'state'),
      make('span', 'peers'),
      make('span', 'rates'),
      make('span', 'totals'),
    ];
    button.append(title, state, peers, rates, totals);
    button.addEventListener('click', () => {
      this.#choose(id);
    });
    item.append(button);
    this.#list.prepend(item);
    const row = { item, button, title, state, peers, rates, totals };
    this.#rows.set(id, row);
    return row;
  }
}

function fill(
  row: Row,
  { facts, closed, totals, rate }: ConnectionView,
  { isChosen, isOver, localTime }: { isChosen: boolean; isOver: boolean; localTime: number },
): void {
  const state = closed?.how ?? (isOver ? 'cut off' : 'open');
  row.button.setAttribute('aria-current', String(isChosen));
  row.button.dataset.state = state === 'open' || state === 'ended' ? state : 'broken';
  const services = totals.services.map(visible).join(', ');
  say(row.title, `${facts.id}  ${services === '' ? 'no request yet' : services}`);
  say(row.state, `${SIGNS[state] ?? '✕'} ${state}`);
  say(row.peers, `${visible(facts.peer)} → ${visible(facts.target)}`);
  const now = rate.rate(localTime);
  row.rates.hidden = closed?.how === 'ended';
  say(
    row.rates,
    closed === undefined
      ? `→ ${perSecond(now.out)}   ← ${perSecond(now.in)}`
      : visible(closed.reason),
  );
  const sizes = `→ ${sizeInWords(totals.out)}   ← ${sizeInWords(totals.in)}`;
  say(row.totals, `${sizes}   ${countInWords(totals.events, 'event')}`);
}

const SIGNS: Readonly<Record<string, string>> = { open: '●', ended: '○' };

function perSecond(bytes: number): string {
  return `${sizeInWords(Math.round(bytes))}/s`;
}
