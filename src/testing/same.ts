import { AmandaError } from '../wire/errors.js';

/** Compares bytes by content, errors of this library by code, and other values by structure. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof AmandaError || b instanceof AmandaError)
    return a instanceof AmandaError && b instanceof AmandaError && a.code === b.code;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return (
      a instanceof Uint8Array &&
      b instanceof Uint8Array &&
      a.length === b.length &&
      a.every((byte, index) => byte === b[index])
    );
  }
  if (a instanceof Error || b instanceof Error)
    return a instanceof Error && b instanceof Error && a.message === b.message;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  return (
    left.size === right.size &&
    [...left].every(([key, item]) => right.has(key) && same(item, right.get(key)))
  );
}

/** A value in the report of a failed page. */
export function show(value: unknown): string {
  if (value instanceof AmandaError) return `${value.code}: ${value.message}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Uint8Array) return showBytes(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([key, item]) => `${key}: ${show(item)}`);
  return Array.isArray(value) ? `[${value.map(show).join(', ')}]` : `{ ${parts.join(', ')} }`;
}

const SHOWN_BYTES = 80;

function showBytes(bytes: Uint8Array): string {
  const shown = JSON.stringify(String.fromCharCode(...bytes.subarray(0, SHOWN_BYTES)));
  return bytes.length > SHOWN_BYTES ? `${bytes.length} bytes ${shown}…` : shown;
}
