<?php
// A product in PHP: connects, links a ticket, posts a note, hears of a change.
//
// Usage: php main.php LIBRARY CONFIG CONNECTION (the last two are JSON; CONNECTION: parameters of connections.create)
declare(strict_types=1);

require __DIR__ . '/Psa.php';

[, $library, $config, $create] = $argv;
$config = json_decode($config, flags: JSON_THROW_ON_ERROR);
$create = json_decode($create, associative: true, flags: JSON_THROW_ON_ERROR);
$tenant = $create['tenant'];
$host = new Host($library, $config);
$address = parse_url($config->callbacks->address);
$server = stream_socket_server("tcp://{$address['host']}:{$address['port']}");

// begin: calls
$connection = $host->call('connections.create', $create)->connection;
$test = $host->call('connections.test', ['tenant' => $tenant, 'connection' => $connection]);
if (!$test->passed) {
    throw new RuntimeException('the test failed: ' . json_encode($test->steps));
}
$link = $host->call('links.create', [
    'tenant' => $tenant, 'connection' => $connection, 'product_ticket' => 'HD-7', 'ticket' => '1001',
])->link;
$note = $host->call('notes.post', [
    'tenant' => $tenant, 'link' => $link, 'visibility' => 'internal', 'text' => 'Posted from PHP.',
    'client_key' => 'note 1', 'wait_ms' => 60_000,
]);
echo "note {$note->state}\n";
// end: calls

/** Reads one request, hands it on, sends back the answer. A product's own server does this elsewhere. */
function serve(Host $host, $stream): void
{
    [$method, $url] = explode(' ', (string) fgets($stream));
    $headers = [];
    $length = 0;
    while (($line = trim((string) fgets($stream))) !== '') {
        [$name, $value] = explode(':', $line, 2);
        $headers[] = [$name, trim($value)];
        if (strcasecmp($name, 'content-length') === 0) {
            $length = (int) $value;
        }
    }
    if ($length > 1 << 20) {
        fwrite($stream, "HTTP/1.1 413 x\r\nconnection: close\r\n\r\n");
        return;
    }
    $body = $length === 0 ? '' : stream_get_contents($stream, $length);
    // begin: callback
    try {
        [$status, $pairs, $answer] = $host->callback($method, $url, $headers, $body);
    } catch (PsaError) {
        [$status, $pairs, $answer] = [429, [], '']; // the PSA comes again
    }
    // end: callback
    echo "callback $status\n";
    $lines = array_map(fn (array $pair) => "{$pair[0]}: {$pair[1]}\r\n", $pairs);
    $length = strlen($answer);
    fwrite($stream, "HTTP/1.1 $status x\r\nconnection: close\r\ncontent-length: $length\r\n" . implode($lines) . "\r\n$answer");
}

for ($kind = ''; $kind !== 'note.added';) {
    $ready = [$server];
    $none = null;
    if (stream_select($ready, $none, $none, 0, 100_000) > 0) {
        $stream = stream_socket_accept($server);
        serve($host, $stream);
        fclose($stream);
    }
    while ($kind !== 'note.added' && ($event = $host->nextEvent('php', 0)) !== null) {
        $kind = $event->event;
        echo "event $kind\n";
        $host->ackEvent('php', $event->id);
    }
}
fclose($server);
$host->close(1_000);
