<?php
// The few functions of psa_host.h that a product needs, through PHP's own FFI.
//
// A host belongs to a process that stays: a worker of the command line, of RoadRunner, Swoole or FrankenPHP, not a request of
// php-fpm. Every function waits for its answer.
declare(strict_types=1);

/** What the host answered instead of a result: $name and $reason are for programs, the message is for people. */
final class PsaError extends RuntimeException
{
    public readonly string $name;
    public readonly ?string $reason;

    public function __construct(object $error)
    {
        parent::__construct("{$error->code}: {$error->message}");
        $this->name = $error->code;
        $this->reason = $error->reason ?? null;
    }
}

final class Host
{
    private const OK = 0;
    private const DECLARATIONS = <<<'C'
        typedef struct psa_host psa_host;
        typedef struct psa_reply psa_reply;
        typedef struct { const char *ptr; size_t len; } psa_bytes;
        typedef struct { psa_bytes name; psa_bytes value; psa_bytes secret; uint32_t flags; uint32_t reserved; } psa_header;
        typedef struct { psa_bytes bytes; uint32_t source; uint32_t encoding; } psa_chunk;
        typedef struct {
            uint32_t size; uint32_t kind; uint32_t flags; uint32_t timeout_ms;
            psa_bytes method; psa_bytes url;
            const psa_header *headers; size_t header_count; const psa_chunk *body; size_t body_count;
        } psa_http_request;
        typedef struct {
            uint32_t size; uint32_t status; const psa_header *headers; size_t header_count; psa_bytes body;
        } psa_http_response;
        int32_t psa_host_open(psa_bytes config, const void *hooks, psa_host **host, psa_reply **error);
        int32_t psa_host_close(psa_host *host, uint32_t drain_ms);
        void psa_host_free(psa_host *host);
        int32_t psa_host_call(psa_host *host, const char *method, psa_bytes params, const void *options, psa_reply **reply);
        int32_t psa_host_next_event(psa_host *host, const char *consumer, uint32_t timeout_ms, psa_reply **event);
        int32_t psa_host_ack_event(psa_host *host, const char *consumer, uint64_t id);
        int32_t psa_host_callback(psa_host *host, const psa_http_request *request, psa_reply **reply);
        const char *psa_reply_json(const psa_reply *reply, size_t *len);
        uint64_t psa_reply_id(const psa_reply *reply);
        const psa_http_response *psa_reply_http(const psa_reply *reply);
        void psa_reply_free(psa_reply *reply);
        C;

    private FFI $psa;
    private FFI\CData $host;

    /** Loads the library and opens a host with a configuration. */
    public function __construct(string $library, object $config)
    {
        $this->psa = FFI::cdef(self::DECLARATIONS, $library);
        $this->host = $this->psa->new('psa_host *');
        $kept = [];
        $config = $this->bytes(self::json($config), $kept);
        $error = $this->psa->new('psa_reply *');
        $code = $this->psa->psa_host_open($config, null, FFI::addr($this->host), FFI::addr($error));
        if ($code !== self::OK) {
            throw $this->taken($error, fn (object $json) => new PsaError($json));
        }
    }

    /** Calls a method. */
    public function call(string $method, array $params): object
    {
        $kept = [];
        $params = $this->bytes(self::json((object) $params), $kept);
        return $this->outcome(
            fn ($reply) => $this->psa->psa_host_call($this->host, $method, $params, null, $reply),
            fn (object $json) => $json,
        );
    }

    /** The next event of a consumer; null: none came in time. */
    public function nextEvent(string $consumer, int $timeoutMs): ?object
    {
        try {
            return $this->outcome(
                fn ($reply) => $this->psa->psa_host_next_event($this->host, $consumer, $timeoutMs, $reply),
                fn (object $json) => $json,
            );
        } catch (PsaError $error) {
            return $error->name === 'timeout' ? null : throw $error;
        }
    }

    /** Acknowledges an event and all before it. */
    public function ackEvent(string $consumer, int $id): void
    {
        $code = $this->psa->psa_host_ack_event($this->host, $consumer, $id);
        if ($code !== self::OK) {
            throw new RuntimeException("psa_host_ack_event answered $code");
        }
    }

    /**
     * Hands on a request that came in below the callback address: path and query, and the body byte for byte.
     *
     * @param list<array{string, string}> $headers
     * @return array{int, list<array{string, string}>, string} status, headers, body
     */
    public function callback(string $method, string $url, array $headers, string $body): array
    {
        $kept = [];
        $request = $this->psa->new('psa_http_request');
        $request->size = FFI::sizeof($request);
        $request->method = $this->bytes($method, $kept);
        $request->url = $this->bytes($url, $kept);
        $count = count($headers);
        $pairs = $this->psa->new('psa_header[' . max(1, $count) . ']');
        foreach ($headers as $at => [$name, $value]) {
            $pairs[$at]->name = $this->bytes($name, $kept);
            $pairs[$at]->value = $this->bytes($value, $kept);
        }
        $request->headers = FFI::addr($pairs[0]);
        $request->header_count = $count;
        $chunk = $this->psa->new('psa_chunk');
        $chunk->bytes = $this->bytes($body, $kept);
        $request->body = FFI::addr($chunk);
        $request->body_count = 1;
        return $this->outcome(
            fn ($reply) => $this->psa->psa_host_callback($this->host, FFI::addr($request), $reply),
            function (object $json, FFI\CData $reply): array {
                $answer = $this->psa->psa_reply_http($reply);
                $pairs = [];
                for ($at = 0; $at < $answer->header_count; $at++) {
                    $pairs[] = [self::text($answer->headers[$at]->name), self::text($answer->headers[$at]->value)];
                }
                return [$answer->status, $pairs, self::text($answer->body)];
            },
        );
    }

    /** Stops the host: running calls have $drainMs to finish. Nothing can be called after it. */
    public function close(int $drainMs): void
    {
        $this->psa->psa_host_close($this->host, $drainMs);
        $this->psa->psa_host_free($this->host);
    }

    /** Runs a function that sets a reply, and reads the reply. */
    private function outcome(Closure $function, Closure $read): mixed
    {
        $reply = $this->psa->new('psa_reply *');
        $code = $function(FFI::addr($reply));
        return $this->taken($reply, fn (object $json, FFI\CData $reply) =>
            $code === self::OK ? $read($json, $reply) : throw new PsaError($json));
    }

    /** Reads a reply and frees it. */
    private function taken(FFI\CData $reply, Closure $read): mixed
    {
        try {
            return $read(json_decode($this->psa->psa_reply_json($reply, null), flags: JSON_THROW_ON_ERROR), $reply);
        } finally {
            $this->psa->psa_reply_free($reply);
        }
    }

    /** A copy that C may read for as long as $kept is there. */
    private function bytes(string $text, array &$kept): FFI\CData
    {
        $length = strlen($text);
        $copy = $this->psa->new('char[' . max(1, $length) . ']');
        FFI::memcpy($copy, $text, $length);
        $bytes = $this->psa->new('psa_bytes');
        $bytes->ptr = FFI::addr($copy[0]);
        $bytes->len = $length;
        array_push($kept, $copy);
        return $bytes;
    }

    private static function text(FFI\CData $bytes): string
    {
        return $bytes->len === 0 ? '' : FFI::string($bytes->ptr, $bytes->len);
    }

    private static function json(object $value): string
    {
        return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
    }
}
