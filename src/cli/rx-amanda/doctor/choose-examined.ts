import { fine, type CheckOutcome } from '../../../doctor/check.js';
import type { Setting } from '../../config/settings.js';
import { positionText } from '../../config/lexer.js';
import { chooseConfigured, type ConfigValues } from '../configured.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import type { TargetChoice, TargetValues } from '../target.js';

/** A target, and where its auth and port come from. */
export interface Examined {
  readonly target: TargetChoice;
  readonly configuration: CheckOutcome;
}

/**
 * Chooses the target, `HOST` or `HOST:PORT`, as `noop` does, and says which line chose its auth and
 * its port.
 */
export function chooseExamined(
  place: string,
  values: TargetValues & ConfigValues,
  output: Output,
  environment: ProcessEnvironment,
): Examined {
  const { target, settings } = chooseConfigured(place, undefined, values, output, environment);
  const auth = `Auth ${target.auth}${origin(values.auth, '--auth', settings.auth)}`;
  const number = target.port === undefined ? 'its default port' : `port ${target.port}`;
  const portOrigin =
    place === target.host ? origin(values.port, '--port', settings['client-port']) : '';
  const port = `${number}${portOrigin}`;
  return { target, configuration: fine(`${auth}, ${port}.`) };
}

function origin(
  given: string | undefined,
  option: string,
  setting: Setting<unknown> | undefined,
): string {
  if (given !== undefined) return ` by ${option}`;
  return setting === undefined ? '' : ` by ${positionText(setting.at)}`;
}
