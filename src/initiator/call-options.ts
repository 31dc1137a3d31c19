import type { RequestOptions } from '../exchange/request.js';
import { Features, type FeatureName } from '../wire/features.js';
import type { OptionFields } from '../wire/options.js';

/** The options of every typed call. */
export interface CallOptions extends RequestOptions {
  /** The entries of the OPTIONS line. Default: our features. */
  readonly options?: OptionFields;
  /** The features of the target, as its noop replied; others are left out. Default: all. */
  readonly target?: Features | undefined;
}

/** The OPTIONS line for a target: our features, and the entries that the target supports. */
export function optionsFor({ options = {}, target }: CallOptions): OptionFields {
  const { features = Features.amanda351, ...fields } = options;
  if (target === undefined) return { features, ...fields };
  const known = Object.entries(fields).filter(([name]) => {
    const needed = neededFor.get(name);
    return needed === undefined || target.has(needed);
  });
  return { features, ...Object.fromEntries(known) };
}

/** The feature that an entry needs. */
const neededFor: ReadonlyMap<string, FeatureName> = new Map([
  ['maxdumps', 'fe_req_options_maxdumps'],
  ['hostname', 'fe_req_options_hostname'],
  ['config', 'fe_req_options_config'],
  ['timestamp', 'fe_req_options_timestamp'],
]);
