import type { CertificateOptions } from '../../drivers/ssl/ssl.js';
import type { Settings } from './settings.js';

/** The certificate settings of a configuration, as the driver ssl takes them. */
export function certificateSettings(settings: Settings): CertificateOptions {
  const values = {
    sslDir: settings['ssl-dir'],
    sslFingerprintFile: settings['ssl-fingerprint-file'],
    sslCertFile: settings['ssl-cert-file'],
    sslKeyFile: settings['ssl-key-file'],
    sslCaCertFile: settings['ssl-ca-cert-file'],
    sslCipherList: settings['ssl-cipher-list'],
    sslCheckCertificateHost: settings['ssl-check-certificate-host'],
    sslCheckHost: settings['ssl-check-host'],
    sslCheckFingerprint: settings['ssl-check-fingerprint'],
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, setting]) =>
      setting === undefined || setting.value === '' ? [] : [[name, setting.value]],
    ),
  );
}
