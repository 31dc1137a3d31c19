import type { SshOptions } from '../../drivers/ssh.js';
import type { CertificateOptions } from '../../drivers/ssl/ssl.js';
import { defaultTiming } from '../../exchange/timing.js';
import { certificateSettings } from '../config/certificate-settings.js';
import type { TargetChoice } from './target.js';

/** The certificates and rules of the driver `ssl`. */
export function certificatesOf({
  sslDir,
  insistOnSafeKey,
  sslStrict,
  settings = {},
}: TargetChoice): CertificateOptions {
  return {
    ...certificateSettings(settings),
    ...(sslDir === undefined ? {} : { sslDir }),
    ...(insistOnSafeKey === true ? { insistOnSafeKey } : {}),
    ...(sslStrict === true ? { strict: true } : {}),
  };
}

/** The options of the driver `ssh`. With `--timeout` it ends before the wait for the ACK does. */
export function sshOptionsOf({
  host,
  port,
  amandadPath,
  clientUsername,
  sshKey,
  timeout,
}: TargetChoice): SshOptions {
  return {
    host,
    ...(port === undefined ? {} : { port }),
    ...(amandadPath === undefined ? {} : { amandadPath }),
    ...(clientUsername === undefined ? {} : { clientUsername }),
    ...(sshKey === undefined ? {} : { keyFile: sshKey }),
    ...(timeout === undefined
      ? {}
      : { connectTimeout: Math.min(defaultTiming.connectTimeout, timeout - 1_000) }),
  };
}
