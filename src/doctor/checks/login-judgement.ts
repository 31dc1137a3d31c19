import { isAmandaError } from '../../wire/errors.js';
import { DEFAULT_CLIENT_USERNAME } from '../../drivers/remote-command.js';
import { fault, fine, type CheckOutcome } from '../check.js';
import type { FindingKind } from '../finding-kinds.js';
import type { NoopAnswer, TargetFacts } from '../target-facts.js';
import { failureOf, isMute } from './noop-failure.js';

type Advice = (facts: TargetFacts) => string;
type Rule = readonly [words: RegExp, kind: FindingKind, message: string, fix: Advice];

const userOf = ({ auth, options }: TargetFacts): string =>
  auth === 'ssh' ? (options.ssh?.clientUsername ?? DEFAULT_CLIENT_USERNAME) : 'the login user';

const notStarted: Rule = [
  /^Cannot start/,
  'program-missing',
  'The program for the login cannot be started here',
  ({ auth }) => `Install ${auth} on this host, or see that this user may execute it.`,
];

/** What rsh says when the login fails. */
const rshRules: readonly Rule[] = [
  notStarted,
  [
    /Permission denied/i,
    'ssh-key-refused',
    'The login is refused',
    ({ host }) =>
      `On ${host}, add a line with this host and this user to .rhosts of the login user, with mode 600.`,
  ],
];

/** What ssh says when the login fails. */
const sshRules: readonly Rule[] = [
  notStarted,
  [
    /IDENTIFICATION HAS CHANGED|host key .* changed/i,
    'ssh-host-key',
    'The host key is another one than before',
    ({ host }) =>
      `If the key of ${host} was really renewed, forget the old one as the user that runs this: ssh-keygen -R ${host}`,
  ],
  [
    /Host key verification failed|host key is known/,
    'ssh-host-key',
    'The host key is not known',
    ({ host }) => `As the user that runs this, log in to ${host} once by hand and accept its key.`,
  ],
  [
    /UNPROTECTED PRIVATE KEY|bad permissions/,
    'ssh-key-file',
    'Others can read the private key, so ssh does not use it',
    ({ options }) => `chmod 600 ${options.ssh?.keyFile ?? 'the key file'}`,
  ],
  [
    /Identity file .* not accessible|error in libcrypto|invalid format/,
    'ssh-key-file',
    'The private key cannot be read',
    ({ options }) =>
      `See whether ${options.ssh?.keyFile ?? 'the key file'} is there, is a private key, and is readable for this user (--ssh-key, ssh-keys).`,
  ],
  [
    /Permission denied/,
    'ssh-key-refused',
    'No key was accepted',
    (facts) =>
      `Add the public key to .ssh/authorized_keys of ${userOf(facts)} on ${facts.host}, with mode 600; the private one belongs to this user's agent or to --ssh-key.`,
  ],
];

/** Whether the login works. */
export function judgeLogin(answer: NoopAnswer, facts: TargetFacts): CheckOutcome {
  const said = failureOf(answer);
  const found =
    said === undefined ? undefined : judge(facts.auth === 'ssh' ? sshRules : rshRules, said, facts);
  if (found !== undefined) return found;
  if (said !== undefined && facts.auth === 'ssh' && /ended with exit code 255/.test(said))
    return fault('ssh-failed', {
      message: `The login to ${facts.host} failed.`,
      evidence: [said],
      fix: `Try the same by hand: ssh -l ${userOf(facts)} ${facts.host} true`,
    });
  return fine(`The login as ${userOf(facts)} works.`);
}

const shellRules: readonly Rule[] = [
  [
    /no driver for security type/,
    'other-auth',
    'The amandad that starts was built without this auth',
    ({ host, auth }) =>
      `Take another auth for ${host}, or install an Amanda with auth ${auth} there, such as rx-amandad.`,
  ],
  [
    /ended with exit code 12[67]\b/,
    'amandad-missing',
    'The login works, and amandad cannot be started',
    ({ host }) =>
      `Install the Amanda client on ${host}, or name its amandad (--amandad-path, amandad-path), which that user may execute.`,
  ],
  [
    /account is currently not available|nologin/i,
    'ssh-shell',
    "Amanda's user has no shell, so it cannot log in",
    (facts) => `On ${facts.host}: usermod -s /bin/bash ${userOf(facts)}`,
  ],
];

/** Whether the login starts amandad, and nothing else speaks. */
export function judgeSession(answer: NoopAnswer, facts: TargetFacts): CheckOutcome {
  const said = failureOf(answer);
  const found = said === undefined ? undefined : judge(shellRules, said, facts);
  if (found !== undefined) return found;
  if (answer.kind === 'failed' && isMute(answer)) {
    const isNoise = isAmandaError(answer.error, 'TEXT_IN_CHANNEL');
    return fault(isNoise ? 'ssh-noisy-login' : 'not-amanda', {
      message: isNoise
        ? `A login profile on ${facts.host} prints something into the connection.`
        : `What the login starts on ${facts.host} does not answer as an amandad does.`,
      evidence: [said ?? ''],
      fix: isNoise
        ? `On ${facts.host}, have .bashrc and .profile of ${userOf(facts)} print nothing when there is no terminal.`
        : `See on ${facts.host} whether a login profile waits for input, and whether a forced command in authorized_keys starts another program.`,
    });
  }
  return fine('The shell is quiet and amandad starts.');
}

function judge(rules: readonly Rule[], said: string, facts: TargetFacts): CheckOutcome | undefined {
  const rule = rules.find(([words]) => words.test(said));
  if (rule === undefined) return undefined;
  const [, kind, message, fix] = rule;
  return fault(kind, { message: `${message}.`, evidence: [said], fix: fix(facts) });
}
