using System.Diagnostics;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>A running server that says on its error stream when it is ready. The stream is read on, or the server would block.</summary>
public sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _said = [];

    private ServerProcess(Process process, string readyMark)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) => Read(line.Data, readyMark);
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    /// <summary>Starts a server and waits until it is ready.</summary>
    public static async Task<ServerProcess> StartAsync(ProcessStartInfo command, string readyMark)
    {
        var server = new ServerProcess(ServerProgram.Start(command), readyMark);
        try
        {
            await server._ready.Task.WaitAsync(ServerProgram.Timeout);
            return server;
        }
        catch
        {
            server._process.Kill();
            server.Dispose();
            throw;
        }
    }

    public void Kill() => _process.Kill();

    public Task WaitForExitAsync() => _process.WaitForExitAsync().WaitAsync(ServerProgram.Timeout);

    public void Dispose() => _process.Dispose();

    private void Read(string? line, string readyMark)
    {
        if (line is null)
        {
            _ready.TrySetException(new InvalidOperationException(
                $"{_process.StartInfo.FileName} ended before it was ready:\n{string.Join('\n', _said)}"));
        }
        else if (line.Contains(readyMark, StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
        else if (!_ready.Task.IsCompleted)
        {
            _said.Add(line);
        }
    }
}
