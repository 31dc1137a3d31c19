import { Observable } from 'rxjs';
import { AmandaError } from '../../../wire/errors.js';
import { printable } from '../../../wire/text.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';

/**
 * Asks a person to load a volume; completes when they press Enter. Undefined without a terminal,
 * where a missing volume is an error.
 */
export function askVolume(
  { stdin }: ProcessEnvironment,
  output: Output,
): ((label: string) => Observable<never>) | undefined {
  if (stdin.isTTY !== true) return undefined;
  return (label) =>
    new Observable((out) => {
      output.warn(
        `rx-amanda: Load the volume ${label} into a drive of the server, then press Enter. ` +
          'Ctrl-C gives up.',
      );
      const onData = (chunk: Buffer): void => {
        if (chunk.includes('\n')) out.complete();
      };
      const onEnd = (): void => {
        const why = `Standard input has ended, and the volume ${printable(label)} is not loaded.`;
        out.error(new AmandaError('INCOMPLETE_DUMP', why));
      };
      stdin.on('data', onData).once('end', onEnd).resume();
      return () => {
        stdin.off('data', onData).off('end', onEnd).pause();
      };
    });
}
