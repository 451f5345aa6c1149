namespace ResilientHosting.Resources;

/// <summary>What a resource's factory knows about the scope it creates for. Valid until the factory has returned.</summary>
public sealed class ResourceContext
{
    private readonly ResourceStack _stack;
    private readonly CreationAttempt _attempt;
    private List<object>? _unfinished;

    internal ResourceContext(ResourceStack stack, CreationAttempt attempt)
    {
        _stack = stack;
        _attempt = attempt;
    }

    /// <summary>The services of the scope: in a request, its <see cref="HttpContext.RequestServices"/>.</summary>
    public IServiceProvider Services => _stack.Services;

    /// <summary>
    /// The request the scope belongs to; <see langword="null"/> in a scope of another kind, even if it was opened during a request.
    /// </summary>
    public HttpContext? HttpContext => _stack.HttpContext;

    /// <summary>The name of the scope as it appears in logs and exceptions: the endpoint, or the name given to the scope.</summary>
    public string ScopeName => _stack.Name;

    /// <summary>For whom the scope makes an object that outlives requests; <see langword="null"/> in all other scopes.</summary>
    internal Lineage? Lineage => _stack.Lineage;

    /// <summary>The scope itself.</summary>
    internal ResourceStack Stack => _stack;

    /// <summary>
    /// Returns another resource of the same scope, which this one needs. It is torn down after this one.
    /// </summary>
    /// <exception cref="ResourceCycleException">That resource is being created and waits for this one.</exception>
    /// <exception cref="InvalidOperationException">
    /// That resource is registered with <see cref="IRequestResourceBuilder{T}.ReleaseAfterHandler"/> and this one is not.
    /// </exception>
    public ValueTask<TDep> GetAsync<TDep>(CancellationToken cancellationToken = default)
        where TDep : class => GetDependencyAsync<TDep>(name: null, cancellationToken);

    /// <inheritdoc cref="GetAsync{TDep}(CancellationToken)"/>
    /// <param name="name">The name the other resource was registered with.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<TDep> GetAsync<TDep>(string name, CancellationToken cancellationToken = default)
        where TDep : class
    {
        ArgumentNullException.ThrowIfNull(name);
        return GetDependencyAsync<TDep>(name, cancellationToken);
    }

    /// <summary>
    /// Hands over an object that must be disposed of if this creation fails from here on. After a success it is left alone: it is then
    /// part of the resource. Several are disposed of in reverse order.
    /// </summary>
    /// <exception cref="ArgumentException">The object is neither <see cref="IAsyncDisposable"/> nor <see cref="IDisposable"/>.</exception>
    public void OnFailure(object unfinished)
    {
        ArgumentNullException.ThrowIfNull(unfinished);
        if (unfinished is not (IAsyncDisposable or IDisposable))
        {
            throw new ArgumentException(
                $"OnFailure disposes of the object when the creation fails, but {unfinished.GetType()} implements neither " +
                "IAsyncDisposable nor IDisposable. Clean it up in a catch block of the factory instead.",
                nameof(unfinished));
        }

        lock (_stack.Gate)
        {
            (_unfinished ??= []).Add(unfinished);
        }
    }

    /// <summary>Takes the newest object handed to <see cref="OnFailure"/>.</summary>
    internal bool TryTakeUnfinished(out object unfinished)
    {
        lock (_stack.Gate)
        {
            if (_unfinished is not { Count: > 0 } list)
            {
                unfinished = null!;
                return false;
            }

            unfinished = list[^1];
            list.RemoveAt(list.Count - 1);
            return true;
        }
    }

    private ValueTask<TDep> GetDependencyAsync<TDep>(string? name, CancellationToken cancellationToken)
        where TDep : class =>
        ResourceResolution.Require<TDep>(Services, name) switch
        {
            RequestResource<TDep> resource => resource.GetAsync(_attempt, cancellationToken),
            var replaced => replaced.GetAsync(cancellationToken),
        };
}
