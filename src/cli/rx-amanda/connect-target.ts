import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import { connect } from '../../initiator/connect.js';
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
  return connect(driver({ ...target, onWarning }), timingFor(target.timeout, target.settings)).pipe(
    traceIfDebug(output),
  );
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
