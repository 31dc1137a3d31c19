import type { RequestOptions } from '../exchange/request.js';
import { Features, type FeatureName } from '../wire/features.js';
import type { OptionFields } from '../wire/options.js';

/** What every typed call may be told besides what it is about. */
export interface CallOptions extends RequestOptions {
  /** What the OPTIONS line says. Default: our features and nothing else. */
  readonly options?: OptionFields;
  /** What the target can do, as its noop answered; what it does not know is left out of the request. Default: it knows everything. */
  readonly target?: Features | undefined;
}

/** The OPTIONS line for a target: our features unless others are given, without the entries that the target does not know. */
export function optionsFor({ options = {}, target }: CallOptions): OptionFields {
  const { features = Features.amanda351, ...fields } = options;
  if (target === undefined) return { features, ...fields };
  const known = Object.entries(fields).filter(([name]) => {
    const needed = neededFor.get(name);
    return needed === undefined || target.has(needed);
  });
  return { features, ...Object.fromEntries(known) };
}

const neededFor: ReadonlyMap<string, FeatureName> = new Map([
  ['maxdumps', 'fe_req_options_maxdumps'],
  ['hostname', 'fe_req_options_hostname'],
  ['config', 'fe_req_options_config'],
  ['timestamp', 'fe_req_options_timestamp'],
]);
