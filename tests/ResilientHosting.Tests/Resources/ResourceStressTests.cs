using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>
/// Parallel tasks do everything to the resources of many scopes, in random order, while the scopes end under them. Afterwards the books
/// must balance: every object was torn down or detached, exactly once, and no scope ever had two of one resource.
/// </summary>
public sealed class ResourceStressTests
{
    private const int Scopes = 2_200;
    private const int TasksPerScope = 4;
    private const int OperationsPerTask = 25;

    // The seed is part of the test's name, so a failure tells it.
    [Theory, InlineData(20260101), InlineData(77), InlineData(4)]
    public async Task RandomOperations_OnManyScopes_BooksBalance(int seed)
    {
        var books = new Books(seed);
        await using var services = Build(books);
        var operations = 0;

        await Parallel.ForAsync(0, Scopes, TestContext.Current.CancellationToken, async (number, _) =>
        {
            var random = new Random(unchecked((seed * 31) + number));
            var scope = services.CreateResourceScope($"scope {number}");
            var workers = Enumerable.Range(0, TasksPerScope)
                .Select(_ => new Worker(scope, books, random.Next()))
                .Select(worker => Task.Run(() => worker.RunAsync(OperationsPerTask)))
                .ToList();

            // Half the scopes end while their tasks are still at it.
            if (random.Next(2) == 0)
            {
                await Task.WhenAll(workers);
            }

            if (random.Next(2) == 0)
            {
                scope.Complete();
            }

            await scope.DisposeAsync();
            await Task.WhenAll(workers);
            Interlocked.Add(ref operations, TasksPerScope * OperationsPerTask);
        }).Bounded();

        Assert.True(operations >= 200_000, $"{operations} operations");
        books.AssertBalanced();
    }

    private static ServiceProvider Build(Books books)
    {
        var services = new ServiceCollection();
        services.AddRequestScopedResource<Plain>((context, token) => CreateAsync<Plain>(books, context, "", token), books.TearDownAsync);
        services.AddRequestScopedResource<Plain>(
            "named", (context, token) => CreateAsync<Plain>(books, context, "named", token), books.TearDownAsync).ReleaseAfterHandler();
        services.AddRequestScopedResource<Dependent>(
            async (context, token) =>
            {
                await context.GetAsync<Plain>(token);
                return await CreateAsync<Dependent>(books, context, "dependent", token);
            },
            books.TearDownAsync).ReleaseAfterHandler();
        return services.BuildServiceProvider(validateScopes: true);
    }

    private static async ValueTask<T> CreateAsync<T>(Books books, ResourceContext context, string resource, CancellationToken token)
        where T : Booked, new()
    {
        switch (books.Next(6))
        {
            case 0:
                throw new RefusedException();
            case 1:
                await Task.Yield();
                throw new RefusedException();
            case 2:
                await Task.Yield();
                token.ThrowIfCancellationRequested();
                break;
            case 3:
                await Task.Yield();
                await Task.Yield();
                break;
        }

        return books.Create<T>($"{context.ScopeName}/{resource}");
    }

    private sealed class RefusedException() : Exception("refused on purpose");

    private class Booked
    {
        private int _ended;

        public Cell Cell { get; init; } = null!;

        public int Ended => Volatile.Read(ref _ended);

        /// <summary>Torn down or detached.</summary>
        public void End() => Interlocked.Increment(ref _ended);
    }

    private sealed class Plain : Booked;

    private sealed class Dependent : Booked;

    /// <summary>How many objects one resource of one scope has.</summary>
    private sealed class Cell
    {
        private readonly Lock _lock = new();
        private int _live;
        private int _beingDetached;

        public void Created()
        {
            lock (_lock)
            {
                _live++;
                Assert.True(_live <= 1 + _beingDetached, $"{_live} objects of one resource in one scope");
            }
        }

        public void TornDown()
        {
            lock (_lock)
            {
                _live--;
            }
        }

        public void Detaching()
        {
            lock (_lock)
            {
                _beingDetached++;
            }
        }

        public void Detached(bool succeeded)
        {
            lock (_lock)
            {
                _beingDetached--;
                _live -= succeeded ? 1 : 0;
            }
        }
    }

    private sealed class Books(int seed)
    {
        private readonly ConcurrentBag<Booked> _created = [];
        private readonly ConcurrentDictionary<string, Cell> _cells = new();
        private readonly ConcurrentQueue<Exception> _violations = [];
        private int _steps = seed;
        private int _tornDown;
        private int _detached;

        public int Next(int below) => (int)((uint)unchecked(Interlocked.Increment(ref _steps) * -1640531535) >> 16) % below;

        public Cell CellOf(string key) => _cells.GetOrAdd(key, static _ => new Cell());

        public T Create<T>(string key)
            where T : Booked, new()
        {
            var booked = new T { Cell = CellOf(key) };
            _created.Add(booked);
            try
            {
                booked.Cell.Created();
            }
            catch (Xunit.Sdk.XunitException violation)
            {
                _violations.Enqueue(violation);
            }

            return booked;
        }

        public async ValueTask TearDownAsync(Booked booked, TeardownContext context)
        {
            if (Next(3) == 0)
            {
                await Task.Yield();
            }

            booked.End();
            booked.Cell.TornDown();
            Interlocked.Increment(ref _tornDown);
            if (Next(10) == 0)
            {
                throw new RefusedException();
            }
        }

        public void Detach(Booked booked)
        {
            booked.End();
            Interlocked.Increment(ref _detached);
        }

        public void AssertBalanced()
        {
            Assert.Empty(_violations);
            Assert.All(_created, booked => Assert.Equal(1, booked.Ended));
            Assert.Equal(_created.Count, _tornDown + _detached);
            Assert.True(_created.Count > 10_000 && _tornDown > 1_000 && _detached > 1_000, $"{_created.Count}/{_tornDown}/{_detached}");
        }
    }

    private sealed class Worker(ResourceScope scope, Books books, int seed)
    {
        private readonly Random _random = new(seed);
        private readonly ResourceStack _stack = scope.Services.GetRequiredService<ResourceStack>();

        private readonly IRequestResource<Plain>[] _plain =
        [
            scope.Services.GetRequiredService<IRequestResource<Plain>>(),
            scope.Services.GetRequiredKeyedService<IRequestResource<Plain>>("named"),
        ];

        private readonly IRequestResource<Dependent> _dependent = scope.Services.GetRequiredService<IRequestResource<Dependent>>();

        public async Task RunAsync(int operations)
        {
            for (var i = 0; i < operations; i++)
            {
                try
                {
                    await (_random.Next(10) switch
                    {
                        < 3 => OperateAsync(_plain[0], ""),
                        < 6 => OperateAsync(_plain[1], "named"),
                        < 9 => OperateAsync(_dependent, "dependent"),
                        _ => _stack.OnHandlerReturnedAsync(result: null, endpoint: null),
                    });
                }
                catch (Exception exception) when (exception
                    is RefusedException or ResourceScopeClosedException or OperationCanceledException or NothingToDetachException
                    || exception is AggregateException several && several.InnerExceptions.All(failure => failure is RefusedException))
                {
                    // What may happen to any caller here.
                }
            }
        }

        private async Task OperateAsync<T>(IRequestResource<T> resource, string key)
            where T : Booked
        {
            switch (_random.Next(10))
            {
                case < 4:
                    await resource.GetAsync();
                    break;
                case < 6:
                    await GetImpatientlyAsync(resource);
                    break;
                case 6:
                    await Task.WhenAll(resource.GetAsync().AsTask(), resource.GetAsync().AsTask(), resource.ReleaseAsync().AsTask());
                    break;
                case < 9:
                    await resource.ReleaseAsync(_random.Next(2) == 0 ? null : new RefusedException());
                    break;
                default:
                    Detach(resource, key);
                    break;
            }
        }

        private static async Task GetImpatientlyAsync<T>(IRequestResource<T> resource)
            where T : Booked
        {
            using var impatience = new CancellationTokenSource();
            var waiting = resource.GetAsync(impatience.Token).AsTask();
            await impatience.CancelAsync();
            await waiting;
        }

        private void Detach<T>(IRequestResource<T> resource, string key)
            where T : Booked
        {
            var cell = books.CellOf($"{scope.Name}/{key}");
            cell.Detaching();
            T detached;
            try
            {
                detached = resource.Detach();
                cell.Detached(succeeded: true);
            }
            catch (InvalidOperationException)
            {
                cell.Detached(succeeded: false);
                throw new NothingToDetachException();
            }

            books.Detach(detached);
        }

        private sealed class NothingToDetachException : Exception;
    }
}
