namespace ResilientHosting.Reloading;

/// <summary>
/// Where every request passes between the server that received it and the application that answers it. While there is no
/// application, requests wait here; they are bounded in number and time, and one whose client leaves is let go.
/// </summary>
internal sealed class RequestSwitch(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private volatile RunningApplication? _application;
    private TaskCompletionSource _next = NewSignal();
    private string? _failure;
    private int _waiting;
    private int _held;

    /// <summary>Gets or sets the limits on waiting.</summary>
    public DevReloaderOptions Options { get; set; } = new();

    /// <summary>Gets the application that requests enter, if there is one now.</summary>
    public RunningApplication? Application => _application;

    /// <summary>From now on requests wait.</summary>
    public void Hold()
    {
        lock (_lock)
        {
            _application = null;
            _failure = null;
            _held = 0;
        }
    }

    /// <summary>From now on requests wait, if it was this application that they entered.</summary>
    public void Hold(RunningApplication application)
    {
        lock (_lock)
        {
            if (_application == application)
            {
                Hold();
            }
        }
    }

    /// <summary>From now on requests enter this application, those that wait first.</summary>
    /// <returns>How many requests had to wait since <see cref="Hold()"/>.</returns>
    public int Publish(RunningApplication application)
    {
        lock (_lock)
        {
            _application = application;
            Signal();
            return _held;
        }
    }

    /// <summary>There is no application, and none is coming until the next edit: requests are answered with the reason.</summary>
    public void Fail(string reason)
    {
        lock (_lock)
        {
            _application = null;
            _failure = reason;
            Signal();
        }
    }

    /// <summary>Finds the application for a request, waiting for it if need be; the request has entered it then.</summary>
    /// <exception cref="ApplicationUnavailableException">There is none, and waiting is useless or has been too long.</exception>
    /// <exception cref="OperationCanceledException">The client left while its request waited.</exception>
    public ValueTask<RunningApplication> EnterAsync(SwitchedRequest request) =>
        _application is { } application && application.TryEnter(request) ? new(application) : WaitAsync(request);

    private async ValueTask<RunningApplication> WaitAsync(SwitchedRequest request)
    {
        if (Interlocked.Increment(ref _waiting) > Options.MaxHeldRequests)
        {
            Interlocked.Decrement(ref _waiting);
            throw new ApplicationUnavailableException(
                $"{Options.MaxHeldRequests} requests already wait for the next generation (DevReloaderOptions.MaxHeldRequests).");
        }

        Interlocked.Increment(ref _held);
        try
        {
            var deadline = clock.GetTimestamp();
            while (true)
            {
                Task next;
                lock (_lock)
                {
                    next = _next.Task;
                    if (_failure is { } reason)
                    {
                        throw new ApplicationUnavailableException(reason);
                    }

                    if (_application is { } application && application.TryEnter(request))
                    {
                        return application;
                    }
                }

                var left = Options.HoldTimeout - clock.GetElapsedTime(deadline);
                await next.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, request.Aborted).ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            throw new ApplicationUnavailableException(
                $"No generation came up within {Options.HoldTimeout.TotalSeconds:0} s (DevReloaderOptions.HoldTimeout).");
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private void Signal()
    {
        _next.TrySetResult();
        _next = NewSignal();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>A request can't be answered by any generation.</summary>
internal sealed class ApplicationUnavailableException(string message) : Exception(message);
