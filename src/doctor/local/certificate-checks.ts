import { X509Certificate } from 'node:crypto';
import { of } from 'rxjs';
import { DEFAULT_SSL_DIR } from '../../access/certificate-files.js';
import { messageOf } from '../../wire/text.js';
import { concern, fault, type CheckOutcome, type CheckUnit } from '../check.js';
import { datesOf } from '../checks/certificate-judgement.js';
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
  for (const file of [certFile, keyFile, caFile]) {
    const stat = files.stat(file);
    if (stat === undefined || (user !== undefined && !mayDo(user, 'read', stat)))
      return fault('own-certificate', {
        message: `${file} is ${stat === undefined ? 'missing' : `not readable for ${user?.name} (owner ${stat.uid}, mode ${octal(stat.mode)})`}.`,
        fix: `Put the file there, readable for ${facts.userName}.`,
      });
  }
  const key = files.stat(keyFile);
  if (key !== undefined && (key.mode & 0o077) !== 0)
    return concern('key-unsafe', {
      message: `Others may get at the private key ${keyFile} (mode ${octal(key.mode)}).`,
      fix: `chmod 600 ${keyFile}`,
    });
  try {
    const own = new X509Certificate(files.text(certFile) ?? '');
    return datesOf(own, `the certificate ${certFile}`, `Renew ${certFile}`);
  } catch (error) {
    return fault('own-certificate', {
      message: `${certFile} cannot be read as a certificate: ${messageOf(error)}.`,
      fix: 'Put a certificate in PEM there.',
    });
  }
}
