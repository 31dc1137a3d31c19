/** Which connections of a file are to be shown: one, or all. */
export class Wanted {
  readonly number: number | undefined;
  #connections = 0;
  #isThere = false;

  constructor(number: number | undefined) {
    this.number = number;
  }

  /** Whether something is about a connection that is wanted. */
  includes({ connection }: { readonly connection: number }): boolean {
    return this.number === undefined || this.number === connection;
  }

  /** Counts the connections that there are; gets every step of each. */
  count(step: { readonly kind: string; readonly connection: number }): void {
    if (step.kind === 'opened') this.#connections += 1;
    this.#isThere ||= this.includes(step);
  }

  /** What to say when the one that is wanted was not there. */
  missing(): string | undefined {
    if (this.number === undefined || this.#isThere) return undefined;
    return `There is no connection ${this.number}; the file has ${this.#connections}.`;
  }
}
