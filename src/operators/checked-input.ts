import { isObservable, type ObservableInput } from 'rxjs';
import { kindOfValue } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';

/**
 * What a function of the user returned, if RxJS can subscribe to it. Throws `BAD_ARGUMENT` for any
 * other value; `name` begins the message.
 *
 * A string is iterable, and a Duplex is async iterable, but neither is meant.
 */
export function checkedInput<T>(name: string, value: ObservableInput<T>): ObservableInput<T> {
  if (isInput(value)) return value;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `${name} must return an Observable, a Promise or an iterable, not ${kindOfValue(value)}; return EMPTY if there is nothing to wait for.`,
  );
}

/** Whether RxJS can subscribe to a value, and the value is meant for that. */
export function isInput(value: unknown): value is ObservableInput<unknown> {
  if (isObservable(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const input = value as Partial<Record<PropertyKey, unknown>>;
  if (typeof input.write === 'function') return false;
  return (
    Symbol.iterator in input ||
    Symbol.asyncIterator in input ||
    typeof input.then === 'function' ||
    typeof input.getReader === 'function' ||
    typeof input[OBSERVABLE] === 'function'
  );
}

/** Observables of other libraries, as RxJS finds them. */
const OBSERVABLE = (Symbol as { readonly observable?: symbol }).observable ?? '@@observable';
