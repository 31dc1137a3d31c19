import type { execFile as ExecFile } from 'node:child_process';
import { Observable, defer, switchMap, type ObservableInput } from 'rxjs';
import { withPipes } from '../transport/child-pipes.js';
import { messageOf } from '../wire/text.js';

/** A source of names. Each call emits one value, or errors when there is no answer. */
export interface NameResolver {
  /** The name of an address; undefined for none. */
  nameOf(address: string): ObservableInput<string | undefined>;
  /** The addresses of a name: IPv4 alone for family 4, any for family 0. */
  addressesOf(name: string, family: 0 | 4): ObservableInput<readonly string[]>;
  /** The name that a name is an alias of, or itself; undefined when unknown. */
  canonicalOf(name: string, family: 0 | 4): ObservableInput<string | undefined>;
}

/** The names of the system: /etc/hosts, DNS, and so on. */
export const systemResolver: NameResolver = {
  nameOf: nameBySystem,
  addressesOf: addressesBySystem,
  canonicalOf: canonicalBySystem,
};

async function nameBySystem(address: string): Promise<string | undefined> {
  const { lookupService } = await import('node:dns/promises');
  try {
    return (await lookupService(address, 0)).hostname;
  } catch (error) {
    if (codeOf(error) === 'ENOTFOUND') return undefined;
    throw error;
  }
}

async function addressesBySystem(name: string, family: 0 | 4): Promise<readonly string[]> {
  const { lookup } = await import('node:dns/promises');
  return (await lookup(name, { all: true, family })).map(({ address }) => address);
}

/** The exit status of getent for an unknown name. */
const NOT_FOUND = 2;

/**
 * Runs getent, because Node drops the canonical names that the system finds, and a name server
 * knows no aliases of /etc/hosts. Without getent DNS decides.
 */
function canonicalBySystem(name: string, family: 0 | 4): Observable<string | undefined> {
  return defer(() => import('node:child_process')).pipe(
    switchMap(({ execFile }) => canonicalByGetent(execFile, name, family)),
  );
}

function canonicalByGetent(
  execFile: typeof ExecFile,
  name: string,
  family: 0 | 4,
): Observable<string | undefined> {
  return new Observable((names) => {
    const abort = new AbortController();
    const database = family === 4 ? 'ahostsv4' : 'ahosts';
    const options = { signal: abort.signal, maxBuffer: 65_536, encoding: 'utf8' as const };
    const args = ['--no-addrconfig', '--no-idn', '--', database, name];
    // What it throws is the error of this Observable.
    withPipes(3, () =>
      execFile('getent', args, options, (error, stdout) => {
        if (names.closed) return;
        if (error !== null && error.code !== NOT_FOUND) {
          void canonicalByDns(name).then(emit);
        } else {
          emit(/^\S+\s+\S+[ \t]+(\S+)/.exec(stdout)?.[1]);
        }
      }),
    );
    const emit = (canonical: string | undefined): void => {
      names.next(canonical);
      names.complete();
    };
    return () => abort.abort();
  });
}

/** The longest chain of aliases. */
const MAX_ALIASES = 8;

/** Never rejects. */
async function canonicalByDns(name: string): Promise<string | undefined> {
  const { resolveCname } = await import('node:dns/promises');
  let canonical = name;
  for (let step = 0; step < MAX_ALIASES; step += 1) {
    const [target] = await resolveCname(canonical).catch(() => []);
    if (target === undefined) return canonical;
    canonical = target;
  }
  return undefined;
}

/** The texts of getaddrinfo by Node's error code. */
const texts: Readonly<Record<string, string>> = {
  ENOTFOUND: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
  EAI_FAIL: 'Non-recoverable failure in name resolution',
  EAI_MEMORY: 'Memory allocation failure',
};

/** The text of a resolver's error, in the system's words if known. */
export function resolverText(error: unknown): string {
  return texts[codeOf(error)] ?? messageOf(error);
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | null)?.code);
}
