import { isIP, isIPv4 } from 'node:net';
import { join } from 'node:path';
import { defaultIfEmpty, forkJoin, map, of, type Observable } from 'rxjs';
import { wordsOf } from '../../wire/text.js';
import { addressesOf } from './addresses-of.js';
import type { LocalFacts } from './local-facts.js';

/** A host that a line of .amandahosts names. */
export interface AllowedHost {
  readonly host: string;
  /** IPv4 alone, as rules of xinetd and the TCP wrapper have it; none when the name has none. */
  readonly addresses: readonly string[];
}

/** The most hosts whose names are looked up. */
const MOST_HOSTS = 20;
/** The time for one look-up. */
const WITHIN = 2_000;

/** The other hosts that .amandahosts lets in, each once; looked up side by side. */
export function allowedHosts({ files, user }: LocalFacts): Observable<readonly AllowedHost[]> {
  const hosts = (files.text(join(user?.home ?? '/', '.amandahosts')) ?? '')
    .split('\n')
    .flatMap((line) => wordsOf(line)[0] ?? [])
    .filter((host) => !/^(localhost|127\.|#)/i.test(host));
  const found = [...new Set(hosts)]
    .slice(0, MOST_HOSTS)
    .map((host) =>
      (isIP(host) !== 0 ? of([host]) : addressesOf(host, WITHIN)).pipe(
        map((addresses = []) => ({ host, addresses: addresses.filter(isIPv4) })),
      ),
    );
  return forkJoin(found).pipe(defaultIfEmpty([]));
}
