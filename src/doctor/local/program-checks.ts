import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Observable, of } from 'rxjs';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { withPipes } from '../../transport/child-pipes.js';
import type { LocalFacts } from './local-facts.js';
import { mayDo, octal } from './system-files.js';

/** Amanda's programs, the rights of runtar, the libraries, and the security file. */
export function programChecks(facts: LocalFacts): readonly CheckUnit[] {
  return [
    {
      id: 'local.programs',
      group: 'local',
      needs: ['local.user'],
      run: () => of(programs(facts)),
    },
    { id: 'local.runtar', group: 'local', needs: ['local.user'], run: () => of(runtar(facts)) },
    { id: 'local.security', group: 'local', needs: [], run: () => of(security(facts)) },
    {
      id: 'local.libraries',
      group: 'local',
      needs: ['local.programs'],
      run: () => libraries(facts),
    },
  ];
}

const neededPrograms = ['amandad', 'noop', 'selfcheck', 'sendsize', 'sendbackup'] as const;

function programs(facts: LocalFacts): CheckOutcome {
  const { files, libexec, user } = facts;
  if (facts.hasOwnServices()) return fine('rx-amandad brings its own services.');
  for (const name of neededPrograms) {
    const path = join(libexec, name);
    const stat = files.stat(path);
    if (stat === undefined)
      return fault('program-missing', {
        message: `${path} is missing.`,
        fix: 'Install the Amanda client (Debian: amanda-client) anew.',
      });
    if (user !== undefined && !mayDo(user, 'execute', stat))
      return fault('program-missing', {
        message: `${user.name} may not execute ${path} (mode ${octal(stat.mode)}).`,
        fix: `chmod 755 ${path}`,
      });
  }
  return fine(`Amanda's programs are in ${libexec}.`);
}

const SET_USER_ID = 0o4000;

function runtar(facts: LocalFacts): CheckOutcome {
  const { files, libexec, user } = facts;
  const path = join(libexec, 'runtar');
  const stat = files.stat(path);
  if (facts.hasOwnServices()) return fine('rx-amandad needs no runtar.');
  if (stat === undefined)
    return fault('program-missing', {
      message: `${path} is missing, so no dump with GNU tar is possible.`,
      fix: 'Install the Amanda client (Debian: amanda-client) anew.',
    });
  const group = user?.name ?? 'backup';
  if (stat.uid !== 0 || (stat.mode & SET_USER_ID) === 0)
    return fault('runtar-rights', {
      message: `${path} is not set-user-ID root (owner ${stat.uid}, mode ${octal(stat.mode)}), so it cannot read all files.`,
      fix: `chown root:${group} ${path}; chmod 4750 ${path}`,
    });
  if (user !== undefined && !mayDo(user, 'execute', stat))
    return fault('runtar-rights', {
      message: `${user.name} may not execute ${path} (mode ${octal(stat.mode)}, group ${stat.gid}).`,
      fix: `chown root:${group} ${path}; chmod 4750 ${path}`,
    });
  return fine(`${path} has the rights of root.`);
}

const SECURITY = '/etc/amanda-security.conf';

function security(facts: LocalFacts): CheckOutcome {
  const { files } = facts;
  const stat = files.stat(SECURITY);
  if (stat === undefined) return fine(`There is no ${SECURITY}; the compiled-in paths count.`);
  if (stat.uid !== 0 || (stat.mode & 0o022) !== 0)
    return fault('security-conf', {
      message: `Others than root may write ${SECURITY} (owner ${stat.uid}, mode ${octal(stat.mode)}), so Amanda refuses it.`,
      fix: `chown root ${SECURITY}; chmod 644 ${SECURITY}`,
    });
  const text = files.text(SECURITY);
  if (text === undefined) return fine(`${SECURITY} is not readable for this user.`);
  const paths = [...text.matchAll(/^\s*runtar:gnutar_path\s*=\s*(\S+)/gm)].map(
    ([, path = '']) => path,
  );
  if (paths.length > 0 && paths.every((path) => files.stat(path) === undefined))
    return fault('security-conf', {
      message: `${SECURITY} allows runtar only ${paths.join(', ')}, which is not there.`,
      fix: `Add the line runtar:gnutar_path=/bin/tar to ${SECURITY}.`,
    });
  return fine(`${SECURITY} belongs to root alone.`);
}

/** The time for the dynamic loader to list libraries. */
const LDD_WITHIN = 3_000;

/** Has the dynamic loader list the libraries of amandad; it does not run amandad. */
function libraries(facts: LocalFacts): Observable<CheckOutcome> {
  const { files, libexec } = facts;
  if (!files.isRunning || facts.hasOwnServices()) return of(fine('Not looked at.'));
  const amandad = join(libexec, 'amandad');
  return new Observable((out) => {
    const abort = new AbortController();
    const options = { signal: abort.signal, timeout: LDD_WITHIN, encoding: 'utf8' as const };
    withPipes(3, () =>
      execFile('ldd', [amandad], options, (_, stdout) => {
        if (out.closed) return;
        const missing = stdout.split('\n').filter((line) => line.includes('not found'));
        out.next(
          missing.length === 0
            ? fine('The libraries of amandad are there.')
            : fault('library-missing', {
                message: `amandad lacks ${missing.length} libraries.`,
                evidence: missing.map((line) => line.trim()),
                fix: 'Install the packages of these libraries, or the Amanda packages anew.',
              }),
        );
        out.complete();
      }),
    );
    return () => {
      abort.abort();
    };
  });
}
