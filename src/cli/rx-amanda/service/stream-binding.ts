import { createReadStream, createWriteStream, fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { EMPTY, endWith, ignoreElements, merge, takeWhile, type Observable } from 'rxjs';
import { pump } from '../../../connection/pump.js';
import type { Stream } from '../../../connection/stream.js';
import { toWritable } from '../../../operators/to-writable.js';
import { printable } from '../../../wire/text.js';
import { UsageError } from '../../terminal/arguments.js';

/** The two ends that a stream of a service is bound to. */
export interface StreamBinding {
  /** Goes to the service. Undefined sends nothing and leaves our direction open. */
  readonly input: Readable | undefined;
  /** Takes the service's bytes; undefined drops them. */
  readonly output: Writable | undefined;
}

/**
 * Passes bytes both ways until the service closes the stream.
 *
 *     input   -a--b----       goes to the service; its end closes that direction
 *     output  --x---y-|       comes from the service; at its end the input is abandoned
 */
export function bindStream(stream: Stream, { input, output }: StreamBinding): Observable<never> {
  const receiving =
    output === undefined
      ? stream.pipe(ignoreElements())
      : stream.pipe(toWritable(output), ignoreElements());
  const sending = input === undefined ? EMPTY : pump(input, stream);
  return merge(receiving.pipe(endWith('closed')), sending).pipe(
    takeWhile((end) => end !== 'closed'),
    ignoreElements(),
  );
}

/** A stream by name, and the descriptors of this process to bind it to. */
export interface NamedBinding {
  readonly name: string;
  /** Opens the descriptors. */
  readonly open: () => StreamBinding;
}

/**
 * Reads `NAME,IN,OUT`; `-` stands for none. Throws {@link UsageError}, also for a descriptor that
 * is not open.
 */
export function parseBinding(text: string): NamedBinding {
  const [, name, from, to] = /^([^,]+),(\d{1,6}|-),(\d{1,6}|-)$/.exec(text) ?? [];
  if (name === undefined)
    throw new UsageError(
      '--stream takes NAME,IN,OUT with the numbers of two open descriptors, ' +
        `not "${printable(text)}".`,
    );
  const [input, output] = [openDescriptor(from), openDescriptor(to)];
  return {
    name,
    open: () => ({
      input:
        input === undefined ? undefined : createReadStream('', { fd: input, autoClose: false }),
      output:
        output === undefined ? undefined : createWriteStream('', { fd: output, autoClose: false }),
    }),
  };
}

function openDescriptor(word: string | undefined): number | undefined {
  if (word === undefined || word === '-') return undefined;
  const descriptor = Number(word);
  try {
    fstatSync(descriptor);
  } catch {
    throw new UsageError(
      `The descriptor ${descriptor} is not open; ` +
        `a shell opens one with ${descriptor}<FILE or ${descriptor}>FILE.`,
    );
  }
  return descriptor;
}
