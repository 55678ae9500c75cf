import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, resourceAttributesEnvDetector, resourceFromAttributes, serviceNameEnvDetector } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';

/**
 * Sends spans by OTLP over HTTP, as OTEL_EXPORTER_OTLP_* say. Whether a trace is kept is decided by its id, so alike in every
 * process; not by the flag in the client's `traceparent`, as the client does not pay for it.
 */
export function createExportingProvider(serviceName: string, sampledShare: number): TracerProvider {
  const defaults = resourceFromAttributes({ 'service.name': serviceName });
  return new TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go first.
    resource: defaults.merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    sampler: new TraceIdRatioBasedSampler(sampledShare),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: 1_000 })],
  });
}
