// `PORT=24335 node examples/supplier/main.ts`: the supplier as a process of its own. `npm start` runs it so.
import { startSupplier } from './supplier.ts';

const { url } = await startSupplier({ port: Number(process.env['PORT'] ?? 0) });
console.log(`The supplier listens at ${url}`);
process.once('SIGTERM', () => process.exit(0));
