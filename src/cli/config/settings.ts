import {
  compression,
  datapath,
  encryption,
  estimates,
  programName,
  selection,
  strategy,
} from './dle-values.js';
import type { SourcePosition, Token } from './lexer.js';
import type { PluginSettings } from './plugins.js';
import {
  nonZero,
  ports,
  positive,
  quotedString,
  stringOrNumber,
  yesNo,
  type ValueReader,
} from './values.js';

/**
 * The keys of Amanda's configuration that matter for connections and requests, and the readers of
 * their values.
 */
export const keyReaders = {
  auth: quotedString,
  'client-port': stringOrNumber,
  'client-username': quotedString,
  'amandad-path': quotedString,
  'ssh-keys': quotedString,
  'ssl-dir': quotedString,
  'ssl-fingerprint-file': quotedString,
  'ssl-cert-file': quotedString,
  'ssl-key-file': quotedString,
  'ssl-ca-cert-file': quotedString,
  'ssl-cipher-list': quotedString,
  'ssl-check-certificate-host': yesNo,
  'ssl-check-host': yesNo,
  'ssl-check-fingerprint': yesNo,
  'reserved-tcp-port': ports(1, 1_023),
  'reserved-udp-port': ports(1, 1_023),
  'unreserved-tcp-port': ports(1_024, 65_535),
  'connect-tries': positive,
  'req-tries': positive,
  'rep-tries': positive,
  ctimeout: positive,
  etimeout: nonZero,
  dtimeout: positive,
  diskfile: quotedString,
  maxdumps: positive,
  program: programName,
  compress: compression,
  'client-custom-compress': quotedString,
  'server-custom-compress': quotedString,
  encrypt: encryption,
  'client-encrypt': quotedString,
  'server-encrypt': quotedString,
  'client-decrypt-option': quotedString,
  'server-decrypt-option': quotedString,
  estimate: estimates,
  index: yesNo,
  record: yesNo,
  kencrypt: yesNo,
  ignore: yesNo,
  strategy,
  'data-path': datapath,
  exclude: selection,
  include: selection,
} as const;

export type Key = keyof typeof keyReaders;

/** A value and where it was set. */
export interface Setting<T> {
  readonly value: T;
  readonly at: SourcePosition;
}

/** The settings of a configuration. Times are in seconds. */
export type Settings = { readonly [K in Key]?: Setting<ReturnType<(typeof keyReaders)[K]>> } & {
  /** What makes the dump when `program` is APPLICATION. */
  readonly application?: Setting<PluginSettings>;
  /** The scripts, the last one named first. */
  readonly script?: Setting<readonly PluginSettings[]>;
};

/** The part of a configuration that a setting is in. */
export type Scope = 'client' | 'server' | 'dumptype';

const everywhere = [
  'connect-tries',
  'req-tries',
  'rep-tries',
  'reserved-tcp-port',
  'reserved-udp-port',
  'unreserved-tcp-port',
  'ssl-dir',
  'ctimeout',
] as const;
const perTarget = [
  'auth',
  'client-port',
  'client-username',
  'amandad-path',
  'ssh-keys',
  'ssl-fingerprint-file',
  'ssl-cert-file',
  'ssl-key-file',
  'ssl-ca-cert-file',
  'ssl-cipher-list',
  'ssl-check-certificate-host',
  'ssl-check-host',
  'ssl-check-fingerprint',
] as const;

const perDump = [
  'maxdumps',
  'program',
  'compress',
  'client-custom-compress',
  'server-custom-compress',
  'encrypt',
  'client-encrypt',
  'server-encrypt',
  'client-decrypt-option',
  'server-decrypt-option',
  'estimate',
  'index',
  'record',
  'kencrypt',
  'ignore',
  'strategy',
  'data-path',
  'exclude',
  'include',
] as const;

const keysOf: Readonly<Record<Scope, ReadonlySet<Key>>> = {
  client: new Set<Key>([...everywhere, ...perTarget]),
  server: new Set<Key>([...everywhere, 'etimeout', 'dtimeout', 'diskfile', 'maxdumps']),
  dumptype: new Set<Key>([...perTarget, ...perDump]),
};

/** Whether a folded keyword is one of these keys. */
export function isKey(word: string): word is Key {
  return Object.hasOwn(keyReaders, word);
}

/** Sets a key, in the way that its reader says. */
export function withValue(
  settings: Settings,
  key: Key,
  values: readonly Token[],
  at: SourcePosition,
): Settings {
  const read = keyReaders[key] as ValueReader<unknown>;
  return { ...settings, [key]: { value: read(values, key, at, settings[key]?.value), at } };
}

/** Whether a key may occur in that scope. */
export function belongs(key: Key, scope: Scope): boolean {
  return keysOf[scope].has(key);
}
