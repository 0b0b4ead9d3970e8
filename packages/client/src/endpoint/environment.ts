/** The environment variables that say where the engine is. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable's value; undefined when it is not set or empty, which is the same to Docker. */
export function variable(env: Environment, name: string): string | undefined {
  return env[name] || undefined;
}
