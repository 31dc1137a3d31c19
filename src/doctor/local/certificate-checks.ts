import { X509Certificate } from 'node:crypto';
import { of } from 'rxjs';
import { DEFAULT_SSL_DIR, readCertificates } from '../../access/certificate-files.js';
import type { AmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { concern, fault, type CheckOutcome, type CheckUnit } from '../check.js';
import { datesOf, weaknessOf } from '../checks/certificate-judgement.js';
import type { LocalFacts } from './local-facts.js';
import { mayDo, octal } from './system-files.js';

/** The certificates of a target with auth ssl; none without that auth. */
export function certificateChecks(facts: LocalFacts): readonly CheckUnit[] {
  const usesSsl = facts.listeners.some(
    ({ isDisabled, args }) => !isDisabled && args.includes('-auth=ssl'),
  );
  return usesSsl
    ? [
        {
          id: 'local.certificates',
          group: 'local',
          needs: ['local.user'],
          run: () => of(certificates(facts)),
        },
      ]
    : [];
}

function certificates(facts: LocalFacts): CheckOutcome {
  const { files, user } = facts;
  const certFile = `${DEFAULT_SSL_DIR}/me/crt.pem`;
  const keyFile = `${DEFAULT_SSL_DIR}/me/private/key.pem`;
  const caFile = `${DEFAULT_SSL_DIR}/CA/crt.pem`;
  const me = process.getuid?.();
  if (me !== 0 && me !== user?.uid)
    return concern('local-unreadable', {
      message: `The files below ${DEFAULT_SSL_DIR} were not looked at, because this user may not read the key.`,
      fix: `Run this as root or as ${facts.userName}.`,
    });
  for (const file of [certFile, keyFile, caFile]) {
    const stat = files.stat(file);
    if (stat === undefined || (user !== undefined && !mayDo(user, 'read', stat)))
      return fault('own-certificate', {
        message: `${file} is ${stat === undefined ? 'missing' : `not readable for ${user?.name} (owner ${stat.uid}, mode ${octal(stat.mode)})`}.`,
        fix: `Put the file there, readable for ${facts.userName}.`,
      });
  }
  const own = readOwn(facts);
  if (own.kind === 'unusable')
    return fault('own-certificate', {
      message: own.message,
      fix: `Put files into ${DEFAULT_SSL_DIR} that belong together, in PEM and without a passphrase.`,
    });
  const [warning] = own.warnings;
  if (warning !== undefined)
    return warning.code === 'KEY_UNSAFE'
      ? concern('key-unsafe', { message: warning.message, fix: `chmod 600 ${keyFile}` })
      : fault('own-certificate', {
          message: warning.message,
          fix: `Have the CA sign a new certificate for this host, and put it into ${certFile}.`,
        });
  return (
    weaknessOf(own.certificate, 'this host') ??
    datesOf(own.certificate, `the certificate ${certFile}`, `Renew ${certFile}`)
  );
}

type Own =
  | {
      readonly kind: 'read';
      readonly certificate: X509Certificate;
      readonly warnings: readonly AmandaError[];
    }
  | { readonly kind: 'unusable'; readonly message: string };

/** Reads the certificates as amandad does. Its words name the files as this system has them. */
function readOwn({ files }: LocalFacts): Own {
  const warnings: AmandaError[] = [];
  try {
    const { cert } = readCertificates({
      sslDir: files.path(DEFAULT_SSL_DIR),
      onWarning: (warning) => {
        warnings.push(warning);
      },
    });
    return { kind: 'read', certificate: new X509Certificate(cert), warnings };
  } catch (error) {
    return { kind: 'unusable', message: messageOf(error) };
  }
}
