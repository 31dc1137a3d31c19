import type { execFile as ExecFile } from 'node:child_process';
import { Observable, defer, switchMap, type ObservableInput } from 'rxjs';

/** Where names come from. Each call gives one value, or errors when the question could not be answered. */
export interface NameResolver {
  /** The name of an address; undefined when it has none. */
  nameOf(address: string): ObservableInput<string | undefined>;
  /** The addresses of a name: IPv4 alone for family 4, any for family 0. */
  addressesOf(name: string, family: 0 | 4): ObservableInput<readonly string[]>;
  /** The name that a name is an alias of, itself if of none; undefined when that cannot be found out. */
  canonicalOf(name: string, family: 0 | 4): ObservableInput<string | undefined>;
}

/** The names that the system knows: /etc/hosts, DNS, and whatever else it is set up for. */
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

/** The exit status of getent for a name that the system does not know. */
const NOT_FOUND = 2;

/**
 * Node asks the system for addresses but drops the canonical name that comes with them, and a name
 * server alone knows nothing of the aliases in /etc/hosts; so the system's own tool is asked. Where
 * there is none such, an alias is what DNS says it is.
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
    execFile(
      'getent',
      ['--no-addrconfig', '--no-idn', '--', database, name],
      options,
      (error, stdout) => {
        if (names.closed) return;
        if (error !== null && error.code !== NOT_FOUND) {
          canonicalByDns(name).then(
            (canonical) => emit(canonical),
            (failure: unknown) => names.error(failure),
          );
        } else {
          emit(/^\S+\s+\S+[ \t]+(\S+)/.exec(stdout)?.[1]);
        }
      },
    );
    const emit = (canonical: string | undefined): void => {
      names.next(canonical);
      names.complete();
    };
    return () => abort.abort();
  });
}

/** How many aliases of aliases are followed. */
const MAX_ALIASES = 8;

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

/** getaddrinfo's own texts by the code that Node gives the error. */
const texts: Readonly<Record<string, string>> = {
  ENOTFOUND: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
  EAI_FAIL: 'Non-recoverable failure in name resolution',
  EAI_MEMORY: 'Memory allocation failure',
};

/** What went wrong with a name, in the system's words where they are known. */
export function resolverText(error: unknown): string {
  return texts[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
