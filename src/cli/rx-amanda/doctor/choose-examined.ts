import { fault, fine, concern, type CheckOutcome } from '../../../doctor/check.js';
import type { Dle } from '../../../wire/dle/dle.js';
import { isAmandaError } from '../../../wire/errors.js';
import type { Setting } from '../../config/settings.js';
import { positionText } from '../../config/lexer.js';
import { chooseConfigured, type ConfigValues, type ConfiguredTarget } from '../configured.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import type { TargetChoice, TargetValues } from '../target.js';

/** A target, where its auth and port come from, and its disk. */
export type Examined =
  | {
      readonly kind: 'chosen';
      readonly target: TargetChoice;
      readonly configuration: CheckOutcome;
      readonly disks: readonly Dle[];
    }
  /** The configuration cannot be read. */
  | { readonly kind: 'unreadable'; readonly configuration: CheckOutcome };

/** The options that say what to examine. */
export interface ExaminedValues extends TargetValues, ConfigValues {
  readonly disk?: string | undefined;
}

/**
 * Chooses the target, `HOST` or `HOST:PORT`, as `noop` does, and says which line chose its auth and
 * its port.
 */
export function chooseExamined(
  place: string,
  values: ExaminedValues,
  output: Output,
  environment: ProcessEnvironment,
): Examined {
  const { disk } = values;
  try {
    const chosen = chooseConfigured(place, disk, values, output, environment);
    return {
      kind: 'chosen',
      target: chosen.target,
      configuration: choiceOf(place, values, chosen),
      disks: disk === undefined ? [] : [dleOf(disk, chosen)],
    };
  } catch (error) {
    if (!isAmandaError(error, 'CONFIG_INVALID') && !isAmandaError(error, 'FILE_FAILED'))
      throw error;
    return {
      kind: 'unreadable',
      configuration: fault('config-invalid', {
        message: error.message,
        fix: `Correct it: ${error.message} --no-config examines the host without it.`,
      }),
    };
  }
}

function choiceOf(
  place: string,
  values: ExaminedValues,
  { target, settings, entry }: ConfiguredTarget,
): CheckOutcome {
  const auth = `Auth ${target.auth}${origin(values.auth, '--auth', settings.auth)}`;
  const number = target.port === undefined ? 'its default port' : `port ${target.port}`;
  const isInPlace = place !== target.host;
  const from = isInPlace ? '' : origin(values.port, '--port', settings['client-port']);
  const choice = `${auth}, ${number}${from}.`;
  return values.config !== undefined && values.dumptype === undefined && entry === undefined
    ? concern('host-not-in-disklist', {
        message: `The disklist of ${values.config} does not have ${target.host}. ${choice}`,
        fix: `Write the name as the disklist of ${values.config} has it, or add the host to it.`,
      })
    : fine(choice);
}

function origin(
  given: string | undefined,
  option: string,
  setting: Setting<unknown> | undefined,
): string {
  if (given !== undefined) return ` by ${option}`;
  return setting === undefined ? '' : ` by ${positionText(setting.at)}`;
}

function dleOf(disk: string, { entry, target }: ConfiguredTarget): Dle {
  return {
    program: 'GNUTAR',
    disk,
    diskdevice: entry?.disk === disk ? entry.device : undefined,
    estimate: ['CLIENT'],
    auth: target.auth,
    record: false,
    index: true,
    datapath: { kind: 'AMANDA', addresses: [] },
  };
}
