import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import { connect } from '../../initiator/connect.js';
import type { Output } from './output.js';
import type { ProcessEnvironment } from './environment.js';
import { timingFor, uselessOptions, type TargetChoice, type TargetValues } from './target.js';
import { traceFrames } from '../terminal/trace.js';

/** Connects to the target that was chosen, and says which of the options it has no use for. */
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

/** With `--debug`: every frame on standard error. */
export function traceIfDebug(output: Output): MonoTypeOperatorFunction<Connection> {
  return traceFrames(
    output.mode.debug
      ? (line) => {
          output.warn(line);
        }
      : undefined,
  );
}
