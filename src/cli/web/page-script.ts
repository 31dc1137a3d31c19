import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileFailed } from '../terminal/file-errors.js';

/** Reads a compiled module by its place in `dist/`, without its end: `cli/web/page/main`. */
export type ReadModule = (name: string) => string;

/**
 * Joins the modules of the page into one script, each behind what it imports, and each in a scope of its own. They are what our compiler
 * writes: named imports and exports, one statement a line, no default ones, no side effects but those of the last.
 */
export function pageScript(read: ReadModule = readCompiled): string {
  const scopes = new Map<string, string>();
  const parts: string[] = [];
  const visit = (name: string): string => {
    const known = scopes.get(name);
    if (known !== undefined) return known;
    const scope = `module${scopes.size}`;
    scopes.set(name, scope);
    const text = read(name).replace(/^(?:export \{\};|\/\/# sourceMappingURL=.*)$/gm, '');
    const body = text.replace(importLine, (_, names: string, path: string) => {
      const from = visit(posix.join(posix.dirname(name), path));
      return `const {${names.replaceAll(' as ', ': ')}} = ${from};`;
    });
    const exported = [...body.matchAll(exportLine)].map(([, one = '']) => one);
    parts.push(
      `// ${name}\nconst ${scope} = (() => {\n${body.replace(exportLine, (line) => line.slice('export '.length)).trim()}\nreturn { ${exported.join(', ')} };\n})();`,
    );
    return scope;
  };
  visit('cli/web/page/main');
  return `${parts.join('\n')}\n`;
}

const importLine = /^import \{([^}]*)\} from '([./\w-]+)\.js';$/gm;
const exportLine = /^export (?:const|function|class) (\w+)/gm;

/** The compiler puts them beside this file. */
function readCompiled(name: string): string {
  const file = fileURLToPath(new URL(`../../${name}.js`, import.meta.url));
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileFailed('read the web page from', file, error);
  }
}
