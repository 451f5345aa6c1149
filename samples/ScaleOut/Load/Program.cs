using System.Runtime.InteropServices;
using ScaleOut.Load;

// Customers of the order desk, until this program is told to end (SIGTERM, Ctrl+C). Then it prints what they have seen, and compares
// what they were told with what the database has. The exit code is 0 only if no request failed and nothing is missing or there twice.
//   ORDERS_DATABASE=<connection string> ScaleOut.Load <address>
if (args is not [var argument] || !Uri.TryCreate(argument, UriKind.Absolute, out var address)
    || Environment.GetEnvironmentVariable("ORDERS_DATABASE") is not { Length: > 0 } database)
{
    Console.Error.WriteLine("Usage: ORDERS_DATABASE=<connection string> ScaleOut.Load <address>");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var clock = TimeProvider.System;
var record = new Record(clock);
var promises = new Promises();
using (var shop = new Shop(address, record, promises, clock))
{
    await Customers.RunAsync(shop, clock, stop.Token);
}

Console.Write(record.ToTable());
var (summary, differences) = await promises.CompareAsync(database);
Console.Write(summary);
foreach (var line in record.Failures.Concat(differences))
{
    Console.WriteLine("FAILED: " + line);
}

return record.Requests > 0 && record.Failures.Count == 0 && differences.Count == 0 ? 0 : 1;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
