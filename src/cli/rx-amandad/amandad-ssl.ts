import { acceptAllSsl, listenSsl } from '../../drivers/ssl/ssl.js';
import { listenSslStdio } from '../../drivers/ssl/ssl-stdio.js';
import type { AmandadArguments } from './amandad-arguments.js';
import { maxConnectionsOf, type ListenerEvents, type TcpListeners } from './listener-parts.js';
import { certificateSettings } from '../config/certificate-settings.js';
import type { Settings } from '../config/settings.js';

/** The listeners of `-auth=ssl`. */
export function sslListeners(
  args: AmandadArguments,
  settings: Settings,
  { onWarning }: ListenerEvents,
): TcpListeners {
  const certificates = {
    ...certificateSettings(settings),
    insistOnSafeKey: args.insistOnSafeKey,
    strict: args.sslStrict,
    onWarning: ({ message }: Error) => {
      onWarning(message);
    },
  };
  return {
    onPort: (options) => listenSsl({ ...options, ...certificates }),
    onStdio: () => listenSslStdio(certificates),
    onSockets: (options) =>
      acceptAllSsl({ ...certificates, maxConnections: maxConnectionsOf(args) }, options),
  };
}
