// `npm run test:containers`: the image and docker-compose.yml on a real engine. `--help` says what it does and needs.
import { parseArgs } from 'node:util';
import { endWithWords } from '../src/local/end-with-words.ts';
import { checkContainers } from './containers/check-containers.ts';
import { findRunningEngine } from './containers/engine.ts';
import { runInPrivateEngine } from './containers/private-engine.ts';

const help = `Usage: npm run test:containers [-- options]

Builds the image, brings up all of docker-compose.yml, settles commands, kills every container's main process, stops, takes all down,
and looks whether anything was lost. Four to five minutes and more on two idle cores; 6 GB of disk or memory at TMPDIR.

If a Docker engine runs that can pull images, it is used, with the real images. Else, on Linux as root, an engine is started for the
run alone, in namespaces of its own in which nobody else sees it, with images that are made here: Debian by debootstrap, Node and
PostgreSQL from the packages of npm, Temporal's development server in the place of its production server.
That needs: apt-get install docker.io docker-compose debootstrap iptables

  --private   Start an engine for this run although one runs.
  --help      This text.
`;

await endWithWords(async () => {
  const { values } = parseArgs({ options: { private: { type: 'boolean', default: false }, help: { type: 'boolean', default: false, short: 'h' } } });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const engine = values.private ? undefined : findRunningEngine();
  return engine === undefined ? runInPrivateEngine() : checkContainers(engine);
});
