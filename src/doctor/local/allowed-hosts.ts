import { isIP } from 'node:net';
import { join } from 'node:path';
import { concatMap, from, map, of, type Observable } from 'rxjs';
import { wordsOf } from '../../wire/text.js';
import { addressesOf } from './addresses-of.js';
import type { LocalFacts } from './local-facts.js';

/** A host that a line of .amandahosts names. */
export interface AllowedHost {
  readonly host: string;
  /** IPv4; none when the name has none. */
  readonly addresses: readonly string[];
}

/** The most hosts whose names are looked up. */
const MOST_HOSTS = 20;
/** The time for one look-up. */
const WITHIN = 2_000;

/** The other hosts that .amandahosts lets in, each once. */
export function allowedHosts({ files, user }: LocalFacts): Observable<AllowedHost> {
  const hosts = (files.text(join(user?.home ?? '/', '.amandahosts')) ?? '')
    .split('\n')
    .flatMap((line) => wordsOf(line)[0] ?? [])
    .filter((host) => !/^(localhost|127\.|#)/i.test(host));
  return from([...new Set(hosts)].slice(0, MOST_HOSTS)).pipe(
    concatMap((host) =>
      (isIP(host) !== 0 ? of([host]) : addressesOf(host, WITHIN)).pipe(
        map((addresses) => ({ host, addresses })),
      ),
    ),
  );
}
