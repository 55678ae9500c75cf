import { visit } from 'jsonc-parser';
import { survivesDouble } from './numbers.ts';
import { type FieldError, malformed, toPointer } from './problem.ts';

const maxDepth = 32;
const maxErrors = 20;

type Path = readonly (string | number)[];

/**
 * Parses JSON that every reader after us (JavaScript, PostgreSQL) understands alike.
 * Throws IN422 with the path of each problem.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  const value = parse(text);
  const errors = findAmbiguities(text);
  if (errors.length > 0) throw malformed(errors);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed([{ path: '', message: 'is not valid UTF-8' }]);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed([{ path: '', message: 'is not valid JSON' }]);
  }
}

/**
 * `JSON.parse` keeps the last of repeated keys, rounds numbers and passes what jsonb refuses. So the text is visited once
 * more; the visitor is lenient about syntax, which `JSON.parse` has checked.
 */
function findAmbiguities(text: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const keysOfOpenObjects: Set<string>[] = [];
  let depth = 0;

  const report = (path: Path, message: string) => {
    errors.push({ path: toPointer(path), message });
    if (errors.length >= maxErrors) throw malformed(errors);
  };
  // Thrown at once: the visitor is recursive, and must not follow a hostile text further down.
  const enter = (path: Path) => {
    depth += 1;
    if (depth > maxDepth) throw malformed([{ path: toPointer(path), message: `is nested deeper than ${maxDepth} levels` }]);
  };
  const leave = () => {
    depth -= 1;
  };

  visit(text, {
    onObjectBegin: (_offset, _length, _line, _character, path) => {
      enter(path());
      keysOfOpenObjects.push(new Set());
    },
    onObjectProperty: (key, _offset, _length, _line, _character, parent) => {
      const keys = keysOfOpenObjects.at(-1);
      if (keys?.has(key)) report([...parent(), key], 'is repeated');
      keys?.add(key);
      const fault = faultOfKey(key);
      if (fault !== undefined) report([...parent(), key], fault);
    },
    onObjectEnd: () => {
      keysOfOpenObjects.pop();
      leave();
    },
    onArrayBegin: (_offset, _length, _line, _character, path) => enter(path()),
    onArrayEnd: leave,
    onLiteralValue: (value, offset, length, _line, _character, path) => {
      const fault = faultOfValue(value, text.slice(offset, offset + length));
      if (fault !== undefined) report(path(), fault);
    },
  });
  return errors;
}

function faultOfKey(key: string): string | undefined {
  if (key === '__proto__' || key === 'constructor') return 'is not allowed as a key';
  return faultOfText(key);
}

function faultOfValue(value: unknown, text: string): string | undefined {
  if (typeof value === 'string') return faultOfText(value);
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) return 'is a number beyond ±(2^53−1)';
  if (typeof value === 'number' && !survivesDouble(text)) return `is a number that is not the same as a double, which is ${value}`;
  return undefined;
}

function faultOfText(text: string): string | undefined {
  if (text.includes('\0')) return 'contains the character U+0000';
  if (!text.isWellFormed()) return 'contains a lone surrogate';
  return undefined;
}
