import { bsd } from '../../drivers/datagram/bsd.js';
import { bsdtcp } from '../../drivers/bsdtcp.js';
import { bsdudp } from '../../drivers/datagram/bsdudp.js';
import type { Driver } from '../../drivers/driver.js';
import { local } from '../../drivers/local.js';
import { rsh } from '../../drivers/rsh.js';
import { ssh, type SshOptions } from '../../drivers/ssh.js';
import { ssl, type CertificateOptions } from '../../drivers/ssl/ssl.js';
import { defaultTiming } from '../../exchange/timing.js';
import { certificateSettings } from '../config/certificate-settings.js';
import type { TargetChoice } from './target.js';

/** Makes the driver of a target. */
export function driverFor(target: TargetChoice): Driver {
  const {
    host,
    auth,
    port,
    user,
    amandadPath,
    clientUsername,
    rshCommand,
    onWarning,
    settings = {},
  } = target;
  const at = { host, ...(port === undefined ? {} : { port }) };
  const path = amandadPath === undefined ? {} : { amandadPath };
  const login = clientUsername === undefined ? {} : { clientUsername };
  const asking = user === undefined ? {} : { user };
  const {
    'reserved-tcp-port': tcp,
    'reserved-udp-port': udp,
    'unreserved-tcp-port': streams,
  } = settings;
  const datagramPorts = {
    ...(udp && { reservedPorts: udp.value }),
    ...(streams && { streamPorts: streams.value }),
  };
  switch (auth) {
    case 'local':
      return local({ host, ...path });
    case 'ssh':
      return ssh(sshOptionsOf(target));
    case 'rsh':
      return rsh({
        host,
        ...path,
        ...login,
        ...(rshCommand === undefined ? {} : { command: rshCommand }),
      });
    case 'bsdtcp':
      return bsdtcp({ ...at, ...asking, ...(tcp && { reservedPorts: tcp.value }) });
    case 'bsdudp':
      return bsdudp({ ...at, ...asking, ...datagramPorts });
    case 'bsd':
      return bsd({ ...at, ...asking, ...datagramPorts });
    case 'ssl':
      return ssl({
        ...at,
        ...asking,
        ...certificatesOf(target),
        ...(onWarning === undefined ? {} : { onWarning }),
      });
  }
}

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
