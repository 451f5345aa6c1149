namespace Worker;

internal sealed class Clock : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Console.WriteLine($"worker: v1 in process {Environment.ProcessId}");
        try
        {
            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
        finally
        {
            Console.WriteLine("worker: stopped");
        }
    }
}
