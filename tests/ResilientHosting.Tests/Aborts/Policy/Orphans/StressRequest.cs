using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Policy.Orphans;

/// <summary>One request, its client and its handler, as chance made them.</summary>
internal sealed class StressRequest : IHttpRequestLifetimeFeature, IHttpRequestTimeoutFeature, IHttpRequestBodyDetectionFeature, IDisposable
{
    // Longer than the clock moves while requests run, so a token that fires inside breaks its promise.
    private static readonly TimeSpan DeferralCap = TimeSpan.FromHours(1);

    private readonly StressHost _host;
    private readonly ObservedLimits _limits;
    private readonly ClientAbortPolicy _policy;
    private readonly Work _work;
    private readonly string? _client;
    private readonly CancellationTokenSource _server = new();
    private readonly CancellationTokenSource _timeout = new();
    private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly InvalidOperationException _bug = new("genuine");
    private AbortMonitor? _monitor;
    private CancellationToken _workToken;
    private CancellationToken _clientAborted;
    private Exception? _thrown;
    private string? _broken;
    private AbortOutcome? _cancelledAsAtEnd;
    private bool _ran;
    private bool _abortedAtEnd;
    private bool _leftBeforeEnd;
    private bool _workFired;
    private bool _clientFired;

    public StressRequest(int number, Random random, StressHost host, ObservedLimits limits)
    {
        Name = $"R{number}";
        _host = host;
        _limits = limits;
        _client = random.Next(4) is > 0 and var client ? $"client {client}" : null;
        _work = (Work)random.Next((int)Work.Deferring + 1);
        _policy = random.Next(3) switch
        {
            0 => ClientAbortPolicy.Cancel,
            1 => ClientAbortPolicy.CompleteWithin(TimeSpan.FromSeconds(random.Next(1, 60))),
            _ => ClientAbortPolicy.RunToCompletion,
        };
        CanHaveBody = random.Next(2) == 0;
        var startsAt = random.NextDouble();
        var actions = new List<(double, Action)> { (startsAt, Start), (startsAt + (0.2 * random.NextDouble()), Finish) };
        if (random.Next(10) < 8)
        {
            // Some have left before they arrive, some leave when everything is over.
            actions.Add((startsAt - 0.02 + (0.2 * random.NextDouble()), Leave));
        }

        if (random.Next(20) == 0)
        {
            actions.Add((startsAt + (0.2 * random.NextDouble()), TimeOut));
        }

        Actions = actions;
    }

    private enum Work
    {
        HonouringToken,
        IgnoringToken,
        Failing,
        AbortingItself,
        Deferring,
    }

    public string Name { get; }

    public IReadOnlyList<(double At, Action Run)> Actions { get; }

    public bool CanHaveBody { get; }

    public CancellationToken RequestTimeoutToken => _timeout.Token;

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _server.Token;
        set => throw new NotSupportedException("Nobody replaces the server's token: the monitor stands in for the server.");
    }

    public static string? ClientOf(HttpContext context) => ((StressRequest)context.Items[nameof(StressRequest)]!)._client;

    void IHttpRequestLifetimeFeature.Abort() => _server.Cancel();

    public void DisableTimeout() => throw new NotSupportedException("No handler here disables its time-out.");

    public void Leave() => _server.Cancel();

    public void TimeOut() => _timeout.Cancel();

    public Task EndedAsync() => _ended.Task;

    public async Task HandleAsync(HttpContext context)
    {
        _ran = true;
        _monitor = (AbortMonitor)context.Features.GetRequiredFeature<IClientAbortFeature>();
        _workToken = context.RequestAborted;
        _clientAborted = _monitor.ClientAborted;

        // Two may want to say so: the client's leaving and the handler's end.
        var goesOn = 0;
        using var left = _clientAborted.Register(() =>
        {
            if (_policy.Behavior != ClientAbortBehavior.Cancel && !_workToken.IsCancellationRequested
                && _work != Work.Deferring && Interlocked.Exchange(ref goesOn, 1) == 0)
            {
                _limits.Enter(_client);
            }
        });
        try
        {
            await RunAsync(context);
        }
        finally
        {
            _leftBeforeEnd = _server.IsCancellationRequested;
            if (Interlocked.Exchange(ref goesOn, 2) == 1)
            {
                _limits.Leave(_client);
            }
        }
    }

    /// <summary>What must be true once the request is over and nobody acts any more.</summary>
    public void Verify(int timesRecorded)
    {
        Assert.True(_broken is null, $"{Name}: {_broken}");
        Assert.Equal(_abortedAtEnd ? 1 : 0, timesRecorded);
        Assert.False(_leftBeforeEnd && !_abortedAtEnd, $"{Name}: its client had left, but nobody noticed.");
        if (_ran && _work == Work.Failing)
        {
            Assert.Same(_bug, _thrown);
        }
        else
        {
            Assert.True(_thrown is null, $"{Name} failed: {_thrown}");
        }

        if (_ran)
        {
            Assert.Equal(_cancelledAsAtEnd is not null, _workToken.IsCancellationRequested);
        }

        _workFired = _workToken.IsCancellationRequested;
        _clientFired = _clientAborted.IsCancellationRequested;
        Assert.Equal(_ran && _abortedAtEnd, _clientFired);
    }

    public void VerifyNothingFiredLate()
    {
        Assert.Equal(_workFired, _workToken.IsCancellationRequested);
        Assert.Equal(_clientFired, _clientAborted.IsCancellationRequested);
    }

    public void Dispose()
    {
        _server.Dispose();
        _timeout.Dispose();
    }

    private void Start() => _ = RunPipelineAsync();

    private void Finish() => _finish.TrySetResult();

    private async Task RunPipelineAsync()
    {
        var context = new DefaultHttpContext();
        context.Request.Method = Name;
        context.Items[nameof(StressRequest)] = this;
        context.Features.Set<IHttpRequestLifetimeFeature>(this);
        context.Features.Set<IHttpRequestTimeoutFeature>(this);
        context.Features.Set<IHttpRequestBodyDetectionFeature>(this);
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new ClientAbortAttribute(_policy)), "stress"));
        var pipeline = _host.Pipeline(context);
        await pipeline.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _thrown = pipeline.Exception?.InnerException;
        var feature = (AbortMonitor)context.Features.GetRequiredFeature<IClientAbortFeature>();
        _abortedAtEnd = feature.IsAborted;
        _cancelledAsAtEnd = feature.WorkCancelledAs;
        _ended.SetResult();
    }

    private async Task RunAsync(HttpContext context)
    {
        switch (_work)
        {
            case Work.HonouringToken:
                await _finish.Task.WaitAsync(_workToken);
                break;
            case Work.IgnoringToken:
                await _finish.Task;
                break;
            case Work.Failing:
                await _finish.Task;
                throw _bug;
            case Work.AbortingItself:
                await _finish.Task;
                context.Abort();
                _workToken.ThrowIfCancellationRequested();
                break;
            default:
                await DeferAsync();
                break;
        }
    }

    private async Task DeferAsync()
    {
        for (var i = 0; !_finish.Task.IsCompleted; i++)
        {
            using (_monitor!.DeferCancellation(DeferralCap))
            {
                var firedBefore = _workToken.IsCancellationRequested;
                await Task.Yield();
                Thread.SpinWait(i % 50);
                if (!firedBefore && _workToken.IsCancellationRequested)
                {
                    _broken = "its token fired while a deferral was open.";
                }
            }

            _workToken.ThrowIfCancellationRequested();
        }
    }
}
