import { once } from 'node:events';
import { connect, constants, createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface GrpcProxy {
  readonly address: string;
  /** From now on these methods, by name, are answered as a front answers that does not find the host behind it. */
  lose(methods: readonly string[]): void;
  stop(): Promise<void>;
}

const { HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS } = constants;
const unavailable = { [HTTP2_HEADER_STATUS]: 200, 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'Not enough hosts to serve the request' };

/** Between a client and a real gRPC server, for what a server of one process cannot show: that a part of it is missing. */
export async function startGrpcProxy(target: string): Promise<GrpcProxy> {
  const server = createServer();
  const behind = connect(`http://${target}`);
  const sessions = new Set<Http2Session>();
  let lost: ReadonlySet<string> = new Set();

  function forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => {});
    if (lost.has(String(headers[HTTP2_HEADER_PATH]).replace(/^.*\//, ''))) return stream.respond(unavailable, { endStream: true });
    const request = behind.request(headers);
    let trailers: IncomingHttpHeaders = {};
    request.on('error', () => stream.destroy());
    request.on('trailers', (received: IncomingHttpHeaders) => void (trailers = received));
    request.on('response', (response, flags) => {
      if (stream.destroyed) return;
      const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(response, { endStream: isWhole, waitForTrailers: !isWhole });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      if (!isWhole) request.pipe(stream);
    });
    stream.on('close', () => request.close());
    stream.pipe(request);
  }

  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('stream', forward);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    lose: (methods) => void (lost = new Set(methods)),
    async stop() {
      behind.destroy();
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
