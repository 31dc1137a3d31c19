import type { Happening } from './model.js';

/** What one symbol of a page stands for: the value that flows, how it is drawn, and what the legend says. */
export interface Mark<V = unknown> {
  readonly value: V;
  readonly shows: Happening;
  readonly label: string;
}

/** Marks by their symbol, one character each. `#` is the error of the lanes that end in one. */
export type Legend = Readonly<Record<string, Mark>>;
