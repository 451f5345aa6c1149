using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Benchmarks;

/// <summary>This library's pool by itself, taken out of the host that owns it.</summary>
internal sealed class LibraryPool<T> : IAsyncDisposable
    where T : class
{
    private readonly ServiceProvider _services;
    private readonly ResourceScope _scope;

    private LibraryPool(ServiceProvider services)
    {
        _services = services;
        _scope = services.CreateResourceScope("benchmark");
        Holder = _scope.Services.GetRequiredService<ResourceStack>();
        Pool = (ResourcePool<T>)services.GetRequiredService<IResourcePool<T>>();
    }

    public ResourcePool<T> Pool { get; }

    public ResourceStack Holder { get; }

    /// <param name="create">Makes an object.</param>
    /// <param name="maxSize">How many there may be. They are created now.</param>
    public static async Task<LibraryPool<T>> StartAsync(Func<T> create, int maxSize)
    {
        var services = new ServiceCollection();
        services.AddRequestScopedResource((_, _) => new ValueTask<T>(create())).UsePool(pool => pool.MaxSize = maxSize);
        var pool = new LibraryPool<T>(services.BuildServiceProvider());
        await pool.FillAsync(maxSize);
        return pool;
    }

    public async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync();
        await _services.DisposeAsync();
    }

    /// <summary>One scope for each object: a scope that took a second one would be reported.</summary>
    private async Task FillAsync(int count)
    {
        var scopes = Enumerable.Range(0, count).Select(number => _services.CreateResourceScope($"filler {number}")).ToList();
        await Task.WhenAll(scopes.Select(scope => scope.GetAsync<T>().AsTask()));
        foreach (var scope in scopes)
        {
            scope.Complete();
            await scope.DisposeAsync();
        }
    }
}
