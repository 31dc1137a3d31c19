import { endText } from '../../../capture/saved-event.js';
import { condense } from '../../../diagram/condense.js';
import type { Diagram } from '../../../diagram/model.js';
import { Recording } from '../../../diagram/recording.js';
import type { TapChange } from '../../../tap/tap-change.js';

/** The diagram of one connection of a file. */
export interface Picture {
  readonly connection: number;
  readonly diagram: Diagram;
}

export interface PicturesOptions {
  /** The one to draw; default all, up to `most`. */
  readonly connection?: number | undefined;
  /** The most connections that are drawn. */
  readonly most: number;
  /** The most events of a diagram; beyond that, neighbours are joined. */
  readonly events: number;
}

interface Drawn {
  readonly recording: Recording;
  /** Names both ends. */
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

  /** The number of connections, drawn or not. */
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
    if (change.kind === 'change') drawn.recording.next(change.change);
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
    const { connection: chosen, most } = this.#options;
    if (chosen === undefined ? this.#drawn.size >= most : chosen !== connection) return;
    if (this.#drawn.has(connection)) return;
    const from = endText({ name: peer.address ?? 'a pipe', port: peer.port });
    this.#drawn.set(connection, {
      recording: new Recording(),
      title: `Connection ${connection}: ${from} to ${target}`,
      ending: undefined,
    });
  }
}

/** A drawing tells apart this many moments; what is closer together is drawn side by side. */
const DRAWN_STEPS = 200;

/** The time resolution of the drawing of a recorded conversation, in milliseconds. */
export function drawnStep({ length }: Diagram): number {
  return Math.max(1, Math.round(length / DRAWN_STEPS));
}
