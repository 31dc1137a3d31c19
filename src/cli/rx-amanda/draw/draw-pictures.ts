import { condense } from '../../../diagram/condense.js';
import type { Diagram } from '../../../diagram/model.js';
import { Recording } from '../../../diagram/recording.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { endText } from './draw-event.js';

/** The diagram of one connection of a file. */
export interface Picture {
  readonly connection: number;
  readonly diagram: Diagram;
}

export interface PicturesOptions {
  /** The one that is wanted; default all, as far as there is room. */
  readonly connection?: number | undefined;
  /** Connections that are drawn at the most. */
  readonly most: number;
  /** Events of a diagram; when there are more, neighbours are joined. */
  readonly events: number;
}

interface Drawn {
  readonly recording: Recording;
  /** From whom to whom, for the title. */
  title: string;
  ending: string | undefined;
}

/** Collects the diagrams of a file's connections, in bounded memory. */
export class Pictures {
  readonly #options: PicturesOptions;
  readonly #drawn = new Map<number, Drawn>();
  #connections = 0;

  constructor(options: PicturesOptions) {
    this.#options = options;
  }

  /** How many connections there were, drawn or not. */
  get connections(): number {
    return this.#connections;
  }

  take(change: TapChange): void {
    const { connection } = change;
    if (change.kind === 'opened') {
      this.#connections += 1;
      this.#open(change);
      return;
    }
    const drawn = this.#drawn.get(connection);
    if (drawn === undefined) return;
    if (change.kind === 'change') drawn.recording.change(change.change);
    else drawn.ending = change.reason;
  }

  all(): readonly Picture[] {
    return [...this.#drawn].map(([connection, { recording, title, ending }]) => {
      const diagram = condense(recording.diagram(), this.#options.events);
      const sentence = ending === undefined ? diagram.sentence : `${diagram.sentence} ${ending}`;
      return { connection, diagram: { ...diagram, title, sentence } };
    });
  }

  #open({ connection, peer, target }: Extract<TapChange, { readonly kind: 'opened' }>): void {
    const { connection: wanted, most } = this.#options;
    if (wanted === undefined ? this.#drawn.size >= most : wanted !== connection) return;
    if (this.#drawn.has(connection)) return;
    const from = endText({ name: peer.address ?? 'a pipe', port: peer.port });
    this.#drawn.set(connection, {
      recording: new Recording(),
      title: `Connection ${connection}: ${from} to ${target}`,
      ending: undefined,
    });
  }
}
