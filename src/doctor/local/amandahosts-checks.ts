import { isIP } from 'node:net';
import { join } from 'node:path';
import { concatMap, defaultIfEmpty, forkJoin, map, of, type Observable } from 'rxjs';
import { checkPeerName } from '../../access/peer.js';
import { wordsOf } from '../../wire/text.js';
import { concern, fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { addressesOf } from './addresses-of.js';
import type { LocalFacts } from './local-facts.js';
import { mayDo, octal } from './system-files.js';

/** The file .amandahosts and its lines. */
export function amandahostsChecks(facts: LocalFacts): readonly CheckUnit[] {
  return [
    {
      id: 'local.amandahosts-file',
      group: 'local',
      needs: ['local.user', 'local.home'],
      run: () => of(file(facts)),
    },
    {
      id: 'local.amandahosts-lines',
      group: 'local',
      needs: ['local.amandahosts-file'],
      run: () => of(lines(facts)),
    },
    {
      id: 'local.amandahosts-names',
      group: 'local',
      needs: ['local.amandahosts-lines'],
      run: () => names(facts),
    },
  ];
}

function pathOf({ user }: LocalFacts): string {
  return join(user?.home ?? '/', '.amandahosts');
}

/** The text as this host has it; it may be readable for root alone. */
function textOf(facts: LocalFacts): string | undefined {
  return facts.files.text(pathOf(facts));
}

function file(facts: LocalFacts): CheckOutcome {
  const { user, files } = facts;
  const path = pathOf(facts);
  const stat = files.stat(path);
  if (user === undefined) return fine('There is no user.');
  if (stat === undefined)
    return fault('amandahosts-file', {
      message: `${path} is missing, or a link to nothing.`,
      fix: `Make ${path} with a line for each server, such as "server.example.com root amdump"; chown ${user.name}, chmod 600.`,
    });
  if (!stat.isFile())
    return fault('amandahosts-file', {
      message: `${path} is no regular file.`,
      fix: `Replace ${path} by a regular file.`,
    });
  if (stat.uid !== user.uid)
    return fault('amandahosts-file', {
      message: `${path} belongs to user id ${stat.uid}, not to ${user.name} (${user.uid}).`,
      fix: `chown ${user.name} ${path}`,
    });
  if ((stat.mode & 0o077) !== 0)
    return fault('amandahosts-file', {
      message: `Others may read or write ${path} (mode ${octal(stat.mode)}), so amandad refuses it.`,
      fix: `chmod 600 ${path}`,
    });
  if (!mayDo(user, 'read', stat))
    return fault('amandahosts-file', {
      message: `${user.name} may not read ${path} (mode ${octal(stat.mode)}).`,
      fix: `chmod 600 ${path}`,
    });
  return textOf(facts) === undefined
    ? concern('local-unreadable', {
        message: `${path} looks right, but this user may not read it.`,
        fix: `Run this as root or as ${user.name}.`,
      })
    : fine(`${path} belongs to ${user.name} alone.`);
}

const BOM = '\u00ef\u00bb\u00bf';

const knownServices: ReadonlySet<string> = new Set([
  ...['amdump', 'noop', 'selfcheck', 'sendsize', 'sendbackup', 'senddiscover', 'restore'],
  ...['amindexd', 'amidxtaped', 'amdumpd', 'ambackupd'],
]);

function lines(facts: LocalFacts): CheckOutcome {
  const text = textOf(facts);
  const path = pathOf(facts);
  if (text === undefined) return fine('It cannot be read.');
  const all = text.split('\n');
  const at = (index: number): string => `${path} line ${index + 1}`;
  const crlf = all.findIndex((line) => line.endsWith('\r'));
  if (crlf >= 0)
    return fault('amandahosts-crlf', {
      message: `${at(crlf)} ends with CR LF, as Windows writes it; such a line never matches.`,
      fix: `sed -i 's/\\r$//' ${path}`,
    });
  if (text.startsWith(BOM))
    return fault('amandahosts-bom', {
      message: `${path} begins with a byte order mark (BOM), so its first line never matches.`,
      fix: `sed -i '1s/^\\xEF\\xBB\\xBF//' ${path}`,
    });
  const useless = all.flatMap((line, index) => {
    const why = whyNever(line);
    return why === undefined ? [] : [{ index, why, line }];
  });
  const [first] = useless;
  if (first === undefined)
    return wordsOf(text.replaceAll('\n', ' ')).length === 0
      ? fault('amandahosts-line', {
          message: `${path} has no lines, so nothing is let in.`,
          fix: `Add a line for each server to ${path}, such as "server.example.com root amdump".`,
        })
      : fine('Each of its lines can match.');
  const comment = first.line.trimStart().startsWith('#');
  return (comment ? concern : fault)(comment ? 'amandahosts-comment' : 'amandahosts-useless', {
    message: `${at(first.index)} can never match: ${first.why}.`,
    evidence: useless.slice(1).map(({ index, why }) => `${at(index)}: ${why}`),
    fix: comment
      ? `Amanda knows no comments in this file; remove the line from ${path}.`
      : `Correct the line, or remove it from ${path}.`,
  });
}

/** Why a line allows nothing; undefined when it can. */
function whyNever(line: string): string | undefined {
  const [host, , ...rest] = wordsOf(line);
  if (host === undefined) return undefined;
  if (host.startsWith('#')) return 'it begins with "#", which is part of a host name to Amanda';
  if (/[*?]/.test(host)) return `"${host}" has a wildcard, which Amanda does not know`;
  if (host.includes(',') || host.includes('/')) return `"${host}" is no host name`;
  const services = wordsOf(rest.join(' ').replaceAll(',', ' '));
  const remark = services.findIndex((word) => word.startsWith('#'));
  const asked = remark < 0 ? services : services.slice(0, remark);
  if (services.length > 0 && !asked.some((service) => knownServices.has(service)))
    return `no service is among "${services.join(' ')}"`;
  return undefined;
}

/** Whether each host of the file has a name that leads to it and back. */
function names(facts: LocalFacts): Observable<CheckOutcome> {
  const path = pathOf(facts);
  const hosts = (textOf(facts) ?? '')
    .split('\n')
    .flatMap((line) => wordsOf(line)[0] ?? [])
    .filter((host) => !/^localhost(\.localdomain)?$/i.test(host) && !host.startsWith('#'));
  const problems = [...new Set(hosts)].slice(0, MOST_HOSTS).map((host) => hostProblem(host, facts));
  return forkJoin(problems).pipe(
    map((found) => found.filter((problem) => problem !== undefined)),
    map(([first, ...more]) =>
      first === undefined
        ? fine('The names in it lead to addresses and back.')
        : concern('amandahosts-name', {
            message: `${path}: ${first}.`,
            evidence: more,
            fix: 'Write the name that the address of the server leads to, or correct DNS or /etc/hosts.',
          }),
    ),
    defaultIfEmpty(fine('It names no other host.')),
  );
}

/** The most hosts whose names are looked up. */
const MOST_HOSTS = 20;
/** The most addresses of a name that are looked up. */
const MOST_ADDRESSES = 8;
/** The time for one look-up. */
const WITHIN = 2_000;

function hostProblem(host: string, facts: LocalFacts): Observable<string | undefined> {
  if (isIP(host) !== 0)
    return checkPeerName({ address: host }, { within: WITHIN, ...facts.names }).pipe(
      map((named) =>
        named.kind === 'named' && named.host !== host
          ? `${host} has the name ${named.host}, so only that name matches`
          : undefined,
      ),
    );
  return addressesOf(host, WITHIN).pipe(
    concatMap((addresses) => {
      if (addresses === undefined)
        return of(`${host} could not be looked up, because no name server answers`);
      return forkJoin(
        addresses.slice(0, MOST_ADDRESSES).map((one) => nameProblem(host, one, facts)),
      ).pipe(
        // A server asks from one of its addresses.
        map((problems) => (problems.includes(undefined) ? undefined : problems[0])),
        defaultIfEmpty(`${host} has no address`),
      );
    }),
  );
}

function nameProblem(
  host: string,
  address: string,
  facts: LocalFacts,
): Observable<string | undefined> {
  return checkPeerName({ address }, { within: WITHIN, ...facts.names }).pipe(
    map((named) => {
      if (named.kind === 'refused') return `${host} is ${address}: ${named.shown}`;
      return named.host.toLowerCase() === host.toLowerCase()
        ? undefined
        : `${host} is ${address}, which leads to ${named.host}, so ${host} never matches`;
    }),
  );
}
