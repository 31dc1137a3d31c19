import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import type { LocalFacts } from './local-facts.js';
import { mayDo, octal } from './system-files.js';
import { of } from 'rxjs';

/** Amanda's user, its shell and its home. */
export function userChecks(facts: LocalFacts): readonly CheckUnit[] {
  return [
    { id: 'local.user', group: 'local', needs: [], run: () => of(account(facts)) },
    { id: 'local.home', group: 'local', needs: ['local.user'], run: () => of(home(facts)) },
  ];
}

function account({ user, userName }: LocalFacts): CheckOutcome {
  return user === undefined
    ? fault('no-amanda-user', {
        message: `There is no user ${userName}, which amandad runs as.`,
        fix: `Install the Amanda client, which makes the user, or name another one in the file that starts amandad.`,
      })
    : fine(
        `Amanda's user is ${user.name} (id ${user.uid}), with the shell ${user.shell || 'none'}.`,
      );
}

function home({ user, files }: LocalFacts): CheckOutcome {
  if (user === undefined) return fine('There is no user.');
  const stat = files.stat(user.home);
  if (stat === undefined || !stat.isDirectory())
    return fault('amanda-home', {
      message: `The home of ${user.name}, ${user.home}, is no folder.`,
      fix: `Make it: install -d -o ${user.name} -m 750 ${user.home}`,
    });
  if (!mayDo(user, 'execute', stat))
    return fault('amanda-home', {
      message: `${user.name} may not enter its home ${user.home} (mode ${octal(stat.mode)}, owner ${stat.uid}).`,
      fix: `chown ${user.name} ${user.home}`,
    });
  return fine(`Its home is ${user.home}.`);
}
