import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { Retry } from '../../exchange/retries.js';
import { connect } from '../../initiator/connect.js';
import type { AmandaError } from '../../wire/errors.js';
import type { Output } from './output.js';
import type { ProcessEnvironment } from './environment.js';
import { timingFor, uselessOptions, type TargetChoice, type TargetValues } from './target.js';
import { traceFrames } from '../terminal/trace.js';

/** Connects to the chosen target, and notes options that its auth ignores. */
export function connectTarget(
  target: TargetChoice,
  values: TargetValues,
  output: Output,
  { driver }: ProcessEnvironment,
): Observable<Connection> {
  for (const option of uselessOptions(target, values))
    output.note(`auth ${target.auth} has no use for ${option}.`);
  const onWarning = ({ message }: Error): void => {
    output.warn(message);
  };
  return connect(driver({ ...target, onWarning }), {
    ...timingFor(target.timeout, target.settings),
    retryIf: (error) => values.retry === true || mayPass(error),
    onRetry: (retry) => {
      output.note(retryLine(retry));
    },
  }).pipe(traceIfDebug(output));
}

/** Whether waiting may help. An unknown name and a port without a listener stay what they are. */
function mayPass({ code, cause }: AmandaError): boolean {
  const reason = (cause as { readonly code?: string } | undefined)?.code;
  if (code === 'CONNECT_TIMEOUT') return true;
  return code === 'CONNECT_FAILED' && reason !== 'ENOTFOUND' && reason !== 'ECONNREFUSED';
}

/** What a person reads when an attempt is made again. */
function retryLine({ what, peer, attempt, tries, reason, wait }: Retry): string {
  const count = `${attempt} of ${tries}`;
  if (what === 'connect')
    return `${reason.replace(/\.?$/, '.')} Trying again in ${(wait ?? 0) / 1_000} s (${count}).`;
  return `${peer}: ${reason}; asking again (${count}).`;
}

/** Prints every frame on standard error with `--debug`. */
export function traceIfDebug(output: Output): MonoTypeOperatorFunction<Connection> {
  return traceFrames(
    output.mode.debug
      ? (line) => {
          output.warn(line);
        }
      : undefined,
  );
}
