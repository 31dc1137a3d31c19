import { fileURLToPath } from 'node:url';
import type { Driver, Listener } from '../../src/drivers/driver.js';

/** The example of a driver that wraps each payload. */
export interface WrappedDriver {
  readonly sealed: (options: {
    readonly host: string;
    readonly port: number;
    readonly key: Uint8Array;
  }) => Driver;
  readonly listenSealed: (options: {
    readonly port: number;
    readonly key: Uint8Array;
    readonly onListening: (port: number) => void;
  }) => Listener;
}

/** Where it is. It imports the package by its name, for which a test puts the one under test. */
export const wrappedDriver = fileURLToPath(
  new URL('../../examples/wrapped-driver.mjs', import.meta.url),
);

export async function loadWrappedDriver(): Promise<WrappedDriver> {
  return (await import(wrappedDriver)) as WrappedDriver;
}
