import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { buildTemplate, dropDatabase } from './template-database.ts';
import type { Template } from './template-database.ts';
import { startTestServer } from './test-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly database: Template;
  }
}

/** For tests on a database: one server and one migrated template for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer();
  console.log(`PostgreSQL for the tests: ${server.description}`);
  try {
    const template = await buildTemplate(server, `intent_template_${randomBytes(4).toString('hex')}`);
    project.provide('database', template);
    return async () => {
      if (!server.ours) await dropDatabase(template.adminUrl, template.name);
      await server.stop();
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
