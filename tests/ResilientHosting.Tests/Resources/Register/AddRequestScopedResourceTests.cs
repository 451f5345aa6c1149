using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

public sealed class AddRequestScopedResourceTests
{
    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public void EachOverload_ReturnsABuilderWithServicesAndName()
    {
        var services = new ServiceCollection();

        var created = services.AddRequestScopedResource(async (context, token) =>
        {
            await Task.Yield();
            return new Alpha();
        });
        var named = services.AddRequestScopedResource("search", (_, _) => ValueTask.FromResult(new Alpha()), (_, _) => default);
        var fromServices = services.AddRequestScopedResource(_ => new Beta());
        var activated = services.AddRequestScopedResource<Gamma>();

        Assert.Equal("search", named.Name);
        Assert.All([created.Name, fromServices.Name, activated.Name], Assert.Null);
        Assert.All([created.Services, named.Services, fromServices.Services, activated.Services], actual => Assert.Same(services, actual));
    }

    [Fact]
    public async Task Activated_TakesConstructorArgumentsFromTheScope()
    {
        var (services, logs) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddScoped<Alpha>();
            collection.AddRequestScopedResource<NeedsAlpha>();
        });
        await using (services)
        {
            await using var scope = services.CreateResourceScope("test");

            var built = await scope.GetAsync<NeedsAlpha>(Test);

            Assert.Same(scope.Services.GetRequiredService<Alpha>(), built.Alpha);
        }

        logs.AssertQuiet();
    }

    [Fact]
    public void SameTypeTwice_IsRefusedAtOnce()
    {
        var services = new ServiceCollection();
        services.AddRequestScopedResource<Alpha>();
        services.AddRequestScopedResource("search", (_, _) => ValueTask.FromResult(new Alpha()));

        var unnamed = Assert.Throws<InvalidOperationException>(() => services.AddRequestScopedResource<Alpha>());
        var named = Assert.Throws<InvalidOperationException>(
            () => services.AddRequestScopedResource("search", (_, _) => ValueTask.FromResult(new Alpha())));

        Assert.Equal(
            "A request-scoped resource Alpha is already registered. Remove one of the two, or give this one another name: " +
            "AddRequestScopedResource(\"name\", …).",
            unnamed.Message);
        Assert.StartsWith("A request-scoped resource Alpha 'search' is already registered.", named.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task RootProvider_RefusesAndNamesTheScopeApi(bool validateScopes)
    {
        var (services, _) = ResourceTestHost.BuildServices(
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>();
                collection.AddSingleton<CapturesAlpha>();
            },
            validateScopes: validateScopes);
        await using var root = services;

        var exception = Assert.Throws<InvalidOperationException>(() => root.GetRequiredService<IRequestResource<Alpha>>());

        Assert.Equal(
            "Resource Alpha was asked of the root service provider: by a singleton, a hosted service or app.Services. It belongs to a " +
            "request. Outside one, open a scope with services.RunInResourceScopeAsync(name, body) or services.CreateResourceScope(name) and " +
            "take it from there.",
            exception.Message);
        await using var scope = root.CreateAsyncScope();
        var captive = Assert.Throws<InvalidOperationException>(() => scope.ServiceProvider.GetRequiredService<CapturesAlpha>());
        Assert.Equal(exception.Message, captive.Message);
    }

    [Fact]
    public async Task Options_OutOfRange_AreAllListed()
    {
        var (services, _) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddRequestScopedResource<Alpha>();
            collection.Configure<RequestResourceOptions>(options =>
            {
                options.CreateTimeout = TimeSpan.Zero;
                options.TeardownTimeout = TimeSpan.FromDays(2);
            });
        });
        await using var root = services;

        var exception = Assert.Throws<OptionsValidationException>(root.GetRequiredService<IStartupValidator>().Validate);

        Assert.Equal(
            [
                "Property RequestResourceOptions.CreateTimeout: must be more than zero and at most 1.00:00:00, but is 00:00:00.",
                "Property RequestResourceOptions.TeardownTimeout: must be more than zero and at most 1.00:00:00, but is 2.00:00:00.",
                "Property RequestResourceOptions.ScopeTeardownBudget: must be at least TeardownTimeout (2.00:00:00), but is 00:00:30; raise the budget or lower the time-out.",
            ],
            exception.Failures);
    }

    [Fact]
    public void Name_Blank_IsRefused()
    {
        var services = new ServiceCollection();

        Assert.Throws<ArgumentException>(() => services.AddRequestScopedResource(" ", (_, _) => ValueTask.FromResult(new Alpha())));
    }

    public sealed class NeedsAlpha(Alpha alpha)
    {
        public Alpha Alpha { get; } = alpha;
    }

    private sealed class CapturesAlpha(IRequestResource<Alpha> alpha)
    {
        public IRequestResource<Alpha> Alpha { get; } = alpha;
    }
}
