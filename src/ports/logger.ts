type Fields = Readonly<Record<string, unknown>>;

/** Structured lines; never a payload, a token or a password. */
export interface Logger {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
}
