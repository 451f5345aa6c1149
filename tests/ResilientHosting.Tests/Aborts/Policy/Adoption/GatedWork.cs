using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>Work that takes until a test ends it, and counts how often it runs.</summary>
public sealed class GatedWork
{
    private readonly Channel<Run> _started = Channel.CreateUnbounded<Run>();
    private int _runs;

    public int Runs => Volatile.Read(ref _runs);

    public Delegate Handler => RunAsync;

    public async Task<IResult> RunAsync(HttpContext context)
    {
        Interlocked.Increment(ref _runs);
        var run = new Run(context);
        await _started.Writer.WriteAsync(run);
        return await run.Ended.WaitAsync(KestrelTestHost.Timeout);
    }

    /// <summary>The next run to start.</summary>
    public Task<Run> StartedAsync() => _started.Reader.ReadAsync().AsTask().WaitAsync(KestrelTestHost.Timeout);

    public sealed class Run(HttpContext context)
    {
        private readonly TaskCompletionSource<IResult> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationToken _left = context.Features.GetRequiredFeature<IClientAbortFeature>().ClientAborted;

        public Task<IResult> Ended => _end.Task;

        public CancellationToken Work { get; } = context.RequestAborted;

        /// <summary>Until the server has noticed that the client of this run has left.</summary>
        public Task ClientLeftAsync() => AbortTestApp.SignalledAsync(_left).WaitAsync(KestrelTestHost.Timeout);

        public void End(string text) => _end.SetResult(Results.Text(text));

        public void End(IResult result) => _end.SetResult(result);

        public void Fail(Exception exception) => _end.SetException(exception);
    }
}
