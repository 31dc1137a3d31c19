import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fileFailed } from '../terminal/file-errors.js';

/** What the build makes of `page/`: the markup has an empty `<style>` and an empty `<script>`. */
export interface PageParts {
  readonly markup: string;
  readonly style: string;
  readonly script: string;
}

/** The page as it is sent, and the content security policy that it needs. */
export interface PageDocument {
  readonly html: string;
  readonly securityPolicy: string;
}

/**
 * Assembles the page. The policy lets nothing else run in it, and connects it to its server only.
 */
export function pageDocument({ markup, style, script }: PageParts): PageDocument {
  // These words can only stand in a string of the script, where the escape means the same.
  const program = script.replace(/<(?=\/script|!--|script)/gi, '\\x3c');
  const rules = [
    `default-src 'none'`,
    `script-src '${hashOf(program)}'`,
    `style-src '${hashOf(style)}'`,
    `connect-src 'self'`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ];
  return {
    html: markup
      .replace('</style>', (end) => `${style}${end}`)
      .replace('</script>', (end) => `${program}${end}`),
    securityPolicy: rules.join('; '),
  };
}

/** Reads the parts that the build makes. Throws `FILE_FAILED`. */
export function readPageParts(): PageParts {
  return { markup: readPart('html'), style: readPart('css'), script: readPart('js') };
}

function readPart(type: string): string {
  const file = fileURLToPath(new URL(`../../bin/tap-page.${type}`, import.meta.url));
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileFailed('read the web page from', file, error);
  }
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
